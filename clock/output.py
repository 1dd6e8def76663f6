"""Output that does not block: a text stream whose lines a thread of its own writes.

A reader that stops reading (Ctrl-S on a terminal, a log shipper that hangs) blocks the writer. Here
that is the thread; lines beyond ``LIMIT`` are dropped and counted.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Any, TextIO

LIMIT = 16 * 1024 * 1024
"""Bytes that may wait for their reader: the lines of some 80,000 jobs."""

LAST = 0.3
"""Seconds that the process waits at its end until its last lines are read."""


class Output(io.TextIOWrapper):
    """Writes to the descriptor of another stream; no method waits for the reader."""

    def __init__(self, stream: TextIO) -> None:
        # Whose end would close the descriptor.
        self._stream = stream
        self._outlet = _Outlet(stream.fileno())
        # What cannot be written in the encoding of a terminal is shown, and no error.
        super().__init__(
            self._outlet,  # type: ignore[arg-type]  # nothing is buffered, so it needs no buffer
            encoding=stream.encoding,
            errors="backslashreplace",
            # A line goes in one piece: a fork's would else come between its text and its end.
            line_buffering=True,
        )
        atexit.register(self._flush_last)

    def _flush_last(self) -> None:
        with suppress(ValueError, OSError):
            self.flush()

    def take_dropped(self) -> int:
        """How many lines were dropped since the last call, once there is room again; else 0."""
        return self._outlet.take_dropped()


def unblock_output() -> None:
    """Let neither standard output nor standard error hold up this process from now on."""
    sys.stdout, sys.stderr = _unblocked(sys.stdout), _unblocked(sys.stderr)


def _unblocked(stream: TextIO) -> TextIO:
    try:
        stream.flush()
        return stream if isinstance(stream, Output) else Output(stream)
    except OSError:
        # It is not a file, as under a test runner.
        return stream


class _Outlet(io.RawIOBase):
    """The bytes on their way to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._dropped = 0
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_full = self._is_failing = False
        self._thread: threading.Thread | None = None
        atexit.register(self._finish)

    def write(self, data: Any) -> int:
        text = bytes(data)
        if os.getpid() != self._owner:
            # A fork has no thread that writes, and may wait itself.
            self._write_all(text)
            return len(text)
        with self._changed:
            # What alone is longer than the limit does not wait for room that never comes.
            if self._is_full or (self._waiting and self._size + len(text) > LIMIT):
                self._is_full = True
                self._dropped += text.count(b"\n")
                return len(text)
            self._waiting.append(text)
            self._size += len(text)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="output", daemon=True)
                # A thread cannot start while the interpreter shuts down.
                with suppress(RuntimeError):
                    self._thread.start()
        return len(text)

    def take_dropped(self) -> int:
        if not self._dropped:
            return 0
        with self._changed:
            if self._is_full or self._is_failing:
                return 0
            dropped, self._dropped = self._dropped, 0
            return dropped

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                text = self._waiting[0]
            is_written = self._write_all(text)
            with self._changed:
                self._is_failing = not is_written
                self._waiting.popleft()
                self._size -= len(text)
                # For a reader that reads a little now and then, not every line is followed by the
                # number of those that are missing.
                if self._is_full and self._size <= LIMIT // 2:
                    self._is_full = False
                if not is_written:
                    self._dropped += text.count(b"\n")
                self._changed.notify_all()

    def _write_all(self, text: bytes) -> bool:
        """Whether all of it was written: the reader may be gone, or the disk full."""
        rest = memoryview(text)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Whoever shares the descriptor may have made it so.
                wait = select.poll()
                wait.register(self._descriptor, select.POLLOUT)
                wait.poll()
            except OSError:
                return False
        return True

    def _finish(self) -> None:
        if os.getpid() == self._owner:
            with self._changed:
                self._changed.wait_for(lambda: not self._waiting, timeout=LAST)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)
