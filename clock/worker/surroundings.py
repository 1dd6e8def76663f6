"""What a job may leave behind in a child, and what the next one must not find."""

from __future__ import annotations

# The functions of ``signal`` make enums of what they return, which takes as long as all else here.
import _signal  # type: ignore[import-not-found]
import logging
import os
import signal
import sys
import threading
from contextlib import suppress

from clock.worker.interruption import STOP

_SIGNALS = (
    *(signal.SIGALRM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE),
    *(signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, STOP),
)
"""The signals that a task is likely to handle, and those that the worker needs."""

_LOGGERS = ("", "clock", "rq.worker", "rq.job")
"""The loggers whose handlers and level are put back."""

log = logging.getLogger("clock")


class Surroundings:
    """Alarms, signal handlers, the working directory, stdout, log handlers and database connections
    as they were before the first job of this process.
    """

    def __init__(self) -> None:
        self._folder = ""
        with suppress(OSError):
            self._folder = os.getcwd()
        self._handlers = [(number, _signal.getsignal(number)) for number in _SIGNALS]
        self._mask = _signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._loggers = [(logger, logger.level, list(logger.handlers)) for logger in _loggers()]
        self._threads = threading.active_count()

    def restore(self, job: str) -> None:
        """Let things be as they were; ``job`` is named for what cannot be."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._handlers:
            if handler is not None and _signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        _signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        if (sys.stdin, sys.stdout, sys.stderr) != self._streams:
            sys.stdin, sys.stdout, sys.stderr = self._streams
        for logger, level, handlers in self._loggers:
            if logger.level != level:
                logger.setLevel(level)
            if logger.handlers != handlers:
                logger.handlers[:] = handlers
        self._go_back()
        close_old_connections()
        left = threading.active_count()
        if left > self._threads:
            reason = f"{left - self._threads} of its threads still run in this process"
            log.warning("threads left", extra={"fields": {"job": job, "reason": reason}})
        self._threads = left

    def _go_back(self) -> None:
        try:
            is_elsewhere = os.getcwd() != self._folder
        except OSError:
            is_elsewhere = True
        if is_elsewhere and self._folder:
            with suppress(OSError):
                os.chdir(self._folder)


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in _LOGGERS]


def close_old_connections() -> None:
    """What Django does around a request, where the application uses its database."""
    database = sys.modules.get("django.db")
    if database is not None:
        with suppress(Exception):  # not configured, or whatever its backend raises
            database.close_old_connections()
