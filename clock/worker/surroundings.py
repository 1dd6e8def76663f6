"""What a job may leave behind in a child, and what the next one must not find."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

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
    as they were before a job.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._folder = ""

    def keep(self) -> None:
        """Remember how things are."""
        with suppress(OSError):
            self._folder = os.getcwd()
        self._kept = {
            "handlers": [signal.getsignal(number) for number in _SIGNALS],
            "mask": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            "streams": (sys.stdin, sys.stdout, sys.stderr),
            "loggers": [(logger, logger.level, list(logger.handlers)) for logger in _loggers()],
            "threads": threading.active_count(),
        }
        _close_old_connections()

    def restore(self, job: str) -> None:
        """Let things be as they were when they were kept; ``job`` is named for what cannot be."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        kept = self._kept
        for number, handler in zip(_SIGNALS, kept["handlers"], strict=True):
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, kept["mask"])
        if (sys.stdin, sys.stdout, sys.stderr) != kept["streams"]:
            sys.stdin, sys.stdout, sys.stderr = kept["streams"]
        for logger, level, handlers in kept["loggers"]:
            if logger.level != level:
                logger.setLevel(level)
            if logger.handlers != handlers:
                logger.handlers[:] = handlers
        self._go_back()
        _close_old_connections()
        left = threading.active_count() - kept["threads"]
        if left > 0:
            reason = f"{left} of its threads still run in this process"
            log.warning("threads left", extra={"fields": {"job": job, "reason": reason}})

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


def _close_old_connections() -> None:
    """What Django does around a request, where the application uses its database."""
    database = sys.modules.get("django.db")
    if database is not None:
        with suppress(Exception):  # not configured, or whatever its backend raises
            database.close_old_connections()
