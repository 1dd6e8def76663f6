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
        if ring is not None:
            ring.begin(execution)

    def write(self, stream: int, data: bytes) -> Iterator[str]:
        """Write to the stream of this number; the lines that are complete with it."""
        writer = stream, get_ident()
        *lines, rest = (self._begun.pop(writer, b"") + data).split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
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

    def kept(self) -> Printed | None:
        """What is kept of the run so far; None for nothing."""
        return None if self._ring is None else self._ring.read(self._execution)

    def _complete(self, lines: list[bytes]) -> Iterator[str]:
        for line in lines:
            for start in range(0, max(len(line), 1), LONGEST_LINE):
                part = line[start : start + LONGEST_LINE].rstrip(b"\r").rpartition(b"\r")[2]
                text = plain_text(part.decode(errors="replace"))
                self.keep(text)
                yield text
