"""A bell: wakes a thread that waits for file descriptors, from any other thread."""

from __future__ import annotations

import os
import threading


class Wakeup:
    """Readable, for a selector, from ``set`` to ``clear``.

    Its pipe is opened when somebody waits for the first time. After ``close`` it rings for nobody:
    a thread that comes late must not write into a descriptor that is somebody else's by then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None
        self._is_rung = False
        self._is_closed = False

    def fileno(self) -> int:
        """What becomes readable once it is rung; ValueError where it is closed."""
        with self._lock:
            if self._is_closed:
                raise ValueError("the bell is closed")
            if self._pipe is None:
                self._pipe = os.pipe()
                if self._is_rung:
                    os.write(self._pipe[1], b".")
            return self._pipe[0]

    def set(self) -> None:
        """Wake whoever waits, or will; may be called from any thread."""
        with self._lock:
            if not self._is_rung:
                self._is_rung = True
                if self._pipe is not None:
                    os.write(self._pipe[1], b".")

    def clear(self) -> None:
        """Let the next to wait do so until it is rung again."""
        with self._lock:
            if self._is_rung:
                self._is_rung = False
                if self._pipe is not None:
                    os.read(self._pipe[0], 1)

    def close(self) -> None:
        """Give the pipe back; it may be rung all the same."""
        with self._lock:
            self._is_closed = True
            if self._pipe is not None:
                for descriptor in self._pipe:
                    os.close(descriptor)
                self._pipe = None
