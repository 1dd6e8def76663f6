"""The lines that one run prints and logs."""

from __future__ import annotations

from collections.abc import Iterator
from threading import get_ident

from clock.runs.plain_text import plain_text
from clock.worker.output_ring import OutputRing, Printed

LONGEST_LINE = 8_192
"""Bytes of a line; a longer one is cut into several."""


class PrintedLines:
    """Makes lines of what the run of a job writes, and keeps the last ones in ``ring``, if any."""

    def __init__(
        self, *, job: str, event: str | None, execution: str, ring: OutputRing | None
    ) -> None:
        self.job = job
        """The id of the job."""
        self.event = event
        """The event whose occurrence it stands for, if any."""
        self._execution = execution
        self._ring = ring
        # Lines of several threads are not mixed.
        self._begun: dict[tuple[int, int], bytes] = {}
        self._kept: Printed | None = None
        if ring is not None:
            ring.begin(execution)

    def write(self, stream: int, data: bytes) -> Iterator[str]:
        """Write to the stream of this number; the lines that are complete with it."""
        writer = stream, get_ident()
        *lines, begun = (self._begun.pop(writer, b"") + data).split(b"\n")
        *full, rest = _pieces(begun)
        lines += full
        if rest:
            # What a carriage return has taken off the screen, as a progress bar does.
            self._begun[writer] = rest[rest.rfind(b"\r", 0, -1) + 1 :]
        return self._complete(lines)

    def end(self, stream: int) -> Iterator[str]:
        """The lines that were begun on the stream of this number."""
        begun = [writer for writer in self._begun if writer[0] == stream]
        return self._complete([self._begun.pop(writer) for writer in begun])

    def keep(self, text: str) -> None:
        """Keep a text that goes to the log by another way."""
        if self._ring is not None:
            lines = "\n".join(map(plain_text, text.split("\n")))
            self._ring.append(f"{lines}\n".encode(errors="replace"))

    def finish(self) -> Printed | None:
        """What is kept of the run, which is over; None for nothing. What it leaves behind may go on
        to write, when the ring is another's.
        """
        if self._ring is not None:
            ring, self._ring = self._ring, None
            self._kept = ring.read(self._execution)
        return self._kept

    def _complete(self, lines: list[bytes]) -> Iterator[str]:
        for line in lines:
            for piece in _pieces(line):
                text = plain_text(piece.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace"))
                self.keep(text)
                yield text


def _pieces(line: bytes) -> Iterator[bytes]:
    """The line in pieces of ``LONGEST_LINE`` at most, which end where a character of UTF-8 does."""
    while len(line) > LONGEST_LINE:
        end = LONGEST_LINE
        while end > LONGEST_LINE - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        yield line[:end]
        line = line[end:]
    yield line
