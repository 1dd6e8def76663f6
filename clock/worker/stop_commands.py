"""Commands from elsewhere that stop what the children of a worker run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from redis import Redis

from clock.connection.errors import CLIENT_ERRORS
from clock.worker.children import Children
from clock.worker.deaths import KILLED, STOPPED
from clock.worker.execution_owner import OwnedExecution
from clock.worker.last_taken import last_taken
from clock.worker.slot import Request, Running

SHOWN_WITHIN = 3.0
"""Seconds within which a child shows what it has taken, on a busy host."""

LOOK_AGAIN = 0.01
"""Seconds between two looks whether it does."""

IsMeant = Callable[[Running | OwnedExecution], bool]


class StopCommands:
    """What ``stop-job``, ``stop-execution`` and ``kill-horse`` do to ``children``. ``connection``
    is to the server from which they take their jobs.
    """

    def __init__(self, children: Children, connection: Redis) -> None:
        self._children = children
        self._connection = connection

    def job(self, job: str) -> bool:
        """Stop the job with this id; False where none of the children runs it."""
        return self._stop_where(lambda running: running.job == job)

    def execution(self, execution: str) -> bool:
        """Stop the execution with this id; False where none of the children has it."""
        return self._stop_where(lambda running: running.execution == execution)

    def kill_all(self) -> None:
        """Kill the children that have a job."""
        for child in self._children.living:
            if child.running:
                child.kill(KILLED)

    def _stop_where(self, is_meant: IsMeant) -> bool:
        # A job counts as started from the step that takes it, a moment before its child begins it.
        end = time.monotonic() + SHOWN_WITHIN
        while not (is_stopped := self._stop_shown(is_meant)):
            if time.monotonic() > end or not self._is_taken(is_meant):
                break
            time.sleep(LOOK_AGAIN)
        return is_stopped or self._stop_shown(is_meant)

    def _stop_shown(self, is_meant: IsMeant) -> bool:
        for child, running in self._children.running:
            if is_meant(running):
                child.end(running, STOPPED, Request.STOP_JOB)
                return True
        return False

    def _is_taken(self, is_meant: IsMeant) -> bool:
        with suppress(*CLIENT_ERRORS):
            taken = [last_taken(self._connection, child.owner) for child in self._children.living]
            return any(last is not None and is_meant(last) for last in taken)
        return False
