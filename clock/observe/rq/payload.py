"""Reading serialised data without running any of it, in bounded memory.

Loading a pickle can call any function; nine bytes of one can allocate half a gigabyte, and
compressed data can be a thousand times larger than it looks. So only plain values are read here,
without importing a module, and their number is checked before they are created.
"""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

LARGEST = 1_000_000
"""Bytes of an inflated call, and of a meta, that are read at most."""

MOST = 100_000
"""Values in one payload; a shared one counts each time it occurs."""

DEEPEST = 50
"""Levels of nesting."""

LONGEST = 2 * LARGEST
"""Characters of all strings in one payload; a shared one counts each time it occurs."""

LONGEST_NUMBER = 10_000
"""Bits of an integer: Python refuses to print more than 4,300 digits."""

LONGEST_TASK = 500

SEARCHED = 16 * LARGEST
"""Bytes of inflated data that are read to find its end."""

_PICKLE = b"\x80"
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_STACK = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_PLAIN = _TEXTS | _STACK | {
    "PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE",
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "EMPTY_LIST", "APPEND", "APPENDS", "LIST",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_SET", "ADDITEMS", "FROZENSET",
    "GET", "BINGET", "LONG_BINGET", "MEMOIZE",
}  # fmt: skip


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is not plain")


def read_plain(data: bytes) -> Any:
    """The value of a pickle or of JSON that consists of strings, bytes, numbers, lists, tuples,
    sets and dictionaries only, within the limits of this module.

    Raises ValueError otherwise.
    """
    if len(data) > LARGEST:
        raise ValueError(f"larger than {LARGEST} bytes")
    try:
        if data.startswith(_PICKLE):
            _check_pickle(data)
            value = _Unpickler(io.BytesIO(data)).load()
        else:
            value = json.loads(data)
        _check_value(value)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"not plain: {type(error).__name__}: {error}") from None
    return value


def _check_pickle(data: bytes) -> None:
    """Raise ValueError for an opcode that is not plain, or for more memory than the data needs."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name not in _PLAIN:
            raise ValueError(opcode.name)
        # The memo is an array: a high index allocates every slot below it.
        if count > MOST or (opcode.name in _STACK and (argument or 0) > count):
            raise ValueError("too many values")


def _check_value(value: Any) -> None:
    """Raise ValueError for a value that is too large to print: one object may occur in it many
    times, or contain itself.
    """
    rows: list[Iterator[Any]] = [iter((value,))]
    count = length = 0
    while rows:
        for cell in rows[-1]:
            count += 1
            if isinstance(cell, str):
                cell.encode()
                length += len(cell)
            elif isinstance(cell, bytes):
                length += len(cell)
            elif isinstance(cell, int) and cell.bit_length() > LONGEST_NUMBER:
                raise ValueError("too large a number")
            if count > MOST or length > LONGEST:
                raise ValueError("too many values")
            if isinstance(cell, (list, tuple, set, frozenset, dict)):
                if len(rows) > DEEPEST:
                    raise ValueError("values too deep inside each other")
                rows.append(_parts(cell))
                break
        else:
            rows.pop()


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return (part for pair in value.items() for part in pair)
    return iter(value)


def read_meta(data: bytes | None) -> Mapping[str, Any]:
    """A job's meta; empty where it has none, or where that has values that are not plain."""
    try:
        meta = read_plain(data) if data else {}
    except ValueError:
        return {}
    return meta if isinstance(meta, Mapping) else {}


def read_task(data: bytes | None) -> str | None:
    """The dotted name of a job's task, None where it cannot be read. ``data`` is the field of the
    job; its arguments are not read.
    """
    call, _ = inflate(data or b"", 4 * LONGEST_TASK)
    try:
        task = _first_of_pickle(call) if call.startswith(_PICKLE) else _first_of_json(call)
        task.encode()
    except Exception:  # a damaged pickle, or one that was cut
        return None
    return task if len(task) <= LONGEST_TASK else None


def _first_of_pickle(call: bytes) -> str:
    # The name comes first in the call.
    steps = islice(pickletools.genops(call), 20)
    return next(str(argument) for opcode, argument, _ in steps if opcode.name in _TEXTS)


def _first_of_json(call: bytes) -> str:
    text_ = call.decode(errors="ignore").lstrip()
    first, _ = json.JSONDecoder().raw_decode(text_.removeprefix("[").lstrip())
    if not text_.startswith("[") or not isinstance(first, str):
        raise ValueError("not a call")
    return first


def read_arguments(data: bytes | None) -> tuple[Any, Any] | None:
    """The positional and the keyword arguments of a job; None where they are not plain."""
    try:
        _, _, args, kwargs = read_plain(inflate(data or b"", LARGEST)[0])
    except (ValueError, TypeError):
        return None
    return args, kwargs


def inflate(data: bytes, most: int) -> tuple[bytes, bool]:
    """The first ``most`` bytes of decompressed ``data``, or of ``data`` itself if it is not
    compressed, and whether there are more.
    """
    try:
        inflated = zlib.decompressobj().decompress(data, most + 1)
    except zlib.error:
        inflated = data
    return inflated[:most], len(inflated) > most


def inflate_ends(data: bytes, most: int) -> tuple[bytes, bytes, int]:
    """Decompressed ``data`` of at most ``most`` bytes; of longer data its beginning, its end and
    the number of bytes between them. The first ``SEARCHED`` bytes are all that is read.
    """
    begin, rest, length = b"", data, 0
    end = bytearray()
    try:
        decompressor = zlib.decompressobj()
        while not decompressor.eof and length < SEARCHED:
            part = decompressor.decompress(rest, most)
            # What is asked for may be all read, and some of it not be written yet.
            if not part and not rest:
                break
            rest = decompressor.unconsumed_tail
            begin += part[: most - len(begin)]
            end += part
            del end[:-most]
            length += len(part)
    except zlib.error:
        return (begin, b"", 0) if length else (data[:most], b"", 0)
    if length <= most:
        return begin, b"", 0
    half = most // 2
    return begin[:half], bytes(end[-half:]), length - 2 * half
