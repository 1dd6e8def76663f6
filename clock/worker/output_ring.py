"""The last bytes that a job printed, in memory that its child shares with the worker: they are
there, too, when the child was killed.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from clock.runs.output import LONGEST

_HEAD = struct.Struct("=32sQ")
_WRITTEN = struct.Struct("=Q")
_WRITTEN_AT = _HEAD.size - _WRITTEN.size
RING = _HEAD.size + LONGEST
"""Bytes of memory for the output of one job."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The last lines that an execution printed or logged, and how many bytes there were in all."""

    text: str
    written: int


class OutputRings:
    """Room for the output of jobs, in ``memory`` from ``offset`` on. What is not written to takes
    none.
    """

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset

    def __getitem__(self, index: int) -> OutputRing:
        return OutputRing(self._memory, self._offset + RING * index)


class OutputRing:
    """Room for the output of one job, which overwrites its oldest bytes."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset

    def begin(self, execution: str) -> None:
        """From now on it is the output of the execution with this id."""
        _HEAD.pack_into(self._memory, self._offset, execution.encode(), 0)

    def append(self, data: bytes) -> None:
        """Add to the end."""
        (written,) = _WRITTEN.unpack_from(self._memory, self._offset + _WRITTEN_AT)
        start = self._offset + _HEAD.size
        last = data[-LONGEST:]
        at = (written + len(data) - len(last)) % LONGEST
        first = last[: LONGEST - at]
        self._memory[start + at : start + at + len(first)] = first
        self._memory[start : start + len(last) - len(first)] = last[len(first) :]
        # Last: of a child that dies before, the reader gets what there was.
        _WRITTEN.pack_into(self._memory, self._offset + _WRITTEN_AT, written + len(data))

    def read(self, execution: str) -> Printed | None:
        """The output of the execution with this id, in whole lines; None where it has none."""
        owner, written = _HEAD.unpack_from(self._memory, self._offset)
        if not written or owner.rstrip(b"\0") != execution.encode():
            return None
        start, at = self._offset + _HEAD.size, written % LONGEST
        data = bytes(self._memory[start : start + min(written, LONGEST)])
        if written > LONGEST:
            data = (data[at:] + data[:at]).partition(b"\n")[2]
        return Printed(data.decode(errors="replace"), written)
