"""Reading what a serializer wrote without running any of it.

A pickle may name any function, which is then called by whoever loads it. What a page shows is read
here instead: plain values only, and no module is imported. What is not plain is not known.
"""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

LARGEST = 1_000_000
"""Bytes of a call, inflated, that are read at most."""

_PICKLE = b"\x80"
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is not plain")


def read_plain(data: bytes) -> Any:
    """The value of a pickle, or of JSON, that has texts, numbers, lists and dictionaries only.

    Raises ValueError for anything else.
    """
    try:
        if data.startswith(_PICKLE):
            return _Plain(io.BytesIO(data)).load()
        return json.loads(data)
    except Exception as error:  # a damaged pickle raises what it likes
        raise ValueError(f"not plain: {type(error).__name__}: {error}") from None


def read_meta(data: bytes | None) -> Mapping[str, Any]:
    """A job's meta; empty where there is none, or where it holds what is not plain."""
    try:
        found = read_plain(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def read_task(data: bytes | None) -> str | None:
    """The dotted name of a job's task, None where it cannot be told. ``data`` is the field of the
    job; none of the arguments is read.
    """
    call = _inflated(data or b"")
    if not call.startswith(_PICKLE):
        try:
            found = json.loads(call)[0]
        except (ValueError, LookupError, TypeError):
            return None
        return found if isinstance(found, str) else None
    try:
        # The name comes first in the call.
        for opcode, argument, _ in pickletools.genops(call):
            if opcode.name in _TEXTS:
                return str(argument)
    except Exception:  # a damaged pickle, or one whose end was left out
        return None
    return None


def read_arguments(data: bytes | None) -> tuple[Any, Any] | None:
    """The positional and the named arguments of a job; None where they are not plain."""
    try:
        _, _, args, kwargs = read_plain(_inflated(data or b""))
    except (ValueError, TypeError):
        return None
    return args, kwargs


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, LARGEST)
    except zlib.error:
        return data[:LARGEST]
