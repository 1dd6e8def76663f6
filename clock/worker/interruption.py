"""How a running job is told that its worker stops."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from rq.timeouts import JobTimeoutException

STOP = getattr(signal, "SIGRTMIN", signal.SIGUSR2)
"""The signal by which a worker tells the process that runs its job. Not SIGTERM, which a platform
sends to every process at once, nor one that a task is likely to use."""

_PR_SET_PDEATHSIG = 1

_REASON = "the worker was asked to stop, and the job's grace is over"


class Stopping(Exception):
    """Raised in a task whose worker was asked to stop and whose grace is over.

    A task may catch it to leave things in order, and has two seconds for that. One that returns
    then has succeeded; one that lets it out goes back to its queue where it has retries, else it
    has failed.
    """


class Interruption:
    """What interrupts the task in the process that runs a job: the signal STOP, and its time."""

    def __init__(self) -> None:
        self._may_stop = False
        self._is_due = False
        self._limit: object = None

    def listen(self) -> None:
        """Take the signals of a process that runs a job: STOP interrupts it, SIGTERM does not."""
        signal.signal(STOP, self._stop)
        signal.signal(signal.SIGALRM, self._time_is_over)
        signal.signal(signal.SIGTERM, _ignore)
        _leave_sigterm_to_children()

    def call(self, task: Callable[[], Any], seconds: float, limit: object) -> Any:
        """What ``task`` returns. While it runs STOP raises Stopping in it, and so does RQ's
        JobTimeoutException after ``seconds``, at most once; it says that the ``limit`` is exceeded.

        Work before and after is not interrupted: a result that is half written is none.
        """
        try:
            try:
                self._may_stop = True
                if self._is_due:
                    raise Stopping(_REASON)
                if seconds != math.inf:
                    self._limit = limit
                    signal.setitimer(signal.ITIMER_REAL, seconds)
                return task()
            finally:
                self._limit = None
        finally:
            self._may_stop = False
            if seconds != math.inf:
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._may_stop:
            self._may_stop = False
            raise Stopping(_REASON)
        self._is_due = True

    def _time_is_over(self, _number: int, _frame: FrameType | None) -> None:
        if self._limit is not None:
            limit, self._limit = self._limit, None
            raise JobTimeoutException(f"Task exceeded maximum timeout value ({limit} seconds)")


def die_with(parent: int) -> None:
    """Let this process be killed when its parent, the process ``parent``, is.

    The job of a dead worker is run again; this run must not go on beside it. Only Linux can do
    this; elsewhere a job may outlive its worker, and is refused its end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. Not SIG_IGN, which the programs that a task starts would inherit."""


def _leave_sigterm_to_children() -> None:
    """Let what this process forks from now on die of SIGTERM, as it would elsewhere.

    The signal is held back around the fork: Python forgets one that comes in the first moment of a
    new process.
    """
    masks = threading.local()

    def before() -> None:
        masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.before)

    def in_child() -> None:
        if signal.getsignal(signal.SIGTERM) is _ignore:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=in_child)
