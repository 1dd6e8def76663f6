"""What a job may leave behind in a child, and what the next one must not find."""

from __future__ import annotations

# The functions of ``signal`` make enums of what they return: 6 microseconds for the signals below,
# where these take 0.4, and all else that is restored after a job 5. Nothing public is as quick.
import _signal  # type: ignore[import-not-found]
import logging
import os
import signal
import sys
import threading
from contextlib import suppress

from clock import log
from clock.worker.interruption import STOP

_SIGNALS = (
    *(signal.SIGALRM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE),
    *(signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, STOP),
)
"""The signals that a task is likely to handle, and those that the worker needs."""

_LOGGERS = ("", "clock", "rq.worker", "rq.job")
"""The loggers whose handlers and level are put back."""


class Surroundings:
    """Alarms, signal handlers, the working directory, the umask, stdout, log handlers and database
    connections as they were before the first job of this process.
    """

    def __init__(self) -> None:
        self.is_broken = False
        """Whether a job has left something that cannot be restored, so that this process should
        run no other."""
        self._folder = ""
        with suppress(OSError):
            self._folder = os.getcwd()
        self._handlers = [(number, _signal.getsignal(number)) for number in _SIGNALS]
        self._mask = _signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._loggers = [(logger, logger.level, list(logger.handlers)) for logger in _loggers()]
        self._disabled = logging.root.manager.disable
        self._umask = os.umask(0o022)
        os.umask(self._umask)
        self._threads, self._all_threads = _threads(), threading.active_count()

    def restore(self, job: str) -> None:
        """Let things be as they were; ``job`` is named for what cannot be."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._handlers:
            if handler is not None and _signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        _signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        if (sys.stdin, sys.stdout, sys.stderr) != self._streams:
            sys.stdin, sys.stdout, sys.stderr = self._streams
        self.is_broken = any(stream is not None and stream.closed for stream in self._streams)
        if logging.root.manager.disable != self._disabled:
            # It makes all loggers forget what they know.
            logging.disable(self._disabled)
        os.umask(self._umask)
        for logger, level, handlers in self._loggers:
            if logger.level != level:
                logger.setLevel(level)
            if logger.handlers != handlers:
                logger.handlers[:] = handlers
        self._go_back()
        close_old_connections()
        if threading.active_count() != self._all_threads:
            self._look_at_threads(job)

    def _look_at_threads(self, job: str) -> None:
        left = _threads()
        if left > self._threads:
            reason = f"{left - self._threads} of its threads still run in this process"
            log.warning("threads left", job=job, reason=reason)
        self._threads, self._all_threads = left, threading.active_count()

    def _go_back(self) -> None:
        try:
            is_elsewhere = os.getcwd() != self._folder
        except OSError:
            is_elsewhere = True
        if is_elsewhere and self._folder:
            with suppress(OSError):
                os.chdir(self._folder)


def _threads() -> int:
    """How many threads there are, but for those that an event loop keeps."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in _LOGGERS]


def open_standard_streams() -> None:
    """Let the descriptors 0, 1 and 2 lead nowhere where a task has closed them: the next connection
    would take the place of one, and be sent what is printed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # It gets the lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)


def close_old_connections() -> None:
    """What Django does around a request, where the application uses its database."""
    database = sys.modules.get("django.db")
    if database is not None:
        with suppress(Exception):  # not configured, or whatever its backend raises
            database.close_old_connections()
