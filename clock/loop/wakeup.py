"""Wakes a thread that waits for file descriptors, from any other thread."""

from __future__ import annotations

import os
import threading


class Wakeup:
    """Readable, for a selector, from ``set`` to ``clear``.

    Its pipe is opened by the first wait. After ``close`` nothing is written: a thread that is late
    must not write into a descriptor that has been reused by then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None
        self._is_set = False
        self._is_closed = False

    def fileno(self) -> int:
        """What becomes readable once it is set. Raises ValueError where it is closed."""
        with self._lock:
            if self._is_closed:
                raise ValueError("the wakeup is closed")
            if self._pipe is None:
                self._pipe = os.pipe()
                if self._is_set:
                    os.write(self._pipe[1], b".")
            return self._pipe[0]

    def set(self) -> None:
        """Wake the thread that waits, or the next that does; may be called from any thread."""
        with self._lock:
            if not self._is_set:
                self._is_set = True
                if self._pipe is not None:
                    os.write(self._pipe[1], b".")

    def clear(self) -> None:
        """Let the next wait last until it is set again."""
        with self._lock:
            if self._is_set:
                self._is_set = False
                if self._pipe is not None:
                    os.read(self._pipe[0], 1)

    def close(self) -> None:
        """Close the pipe; it may be set all the same."""
        with self._lock:
            self._is_closed = True
            if self._pipe is not None:
                for descriptor in self._pipe:
                    os.close(descriptor)
                self._pipe = None
