"""``rq cron``: its own scheduler, driven as its own loop drives it, in this process."""

from __future__ import annotations

import logging
import math
import os
from datetime import UTC, datetime, timedelta
from functools import cache

from redis import Redis
from rq.cron import CronScheduler
from rq.defaults import DEFAULT_LOGGING_DATE_FORMAT, DEFAULT_LOGGING_FORMAT

from benchmarks.ratio import seconds

LONG_AGO = timedelta(minutes=1)


class RqCron:
    """``count`` cron jobs of every minute, of which ``due`` are due whenever it is let fire.

    It logs as its command does, into nothing.
    """

    def __init__(self, connection: Redis, count: int, due: int | None = None) -> None:
        _log_into_nothing()
        self._scheduler = CronScheduler(connection=connection)
        self._due = count if due is None else due
        for number in range(count):
            self._scheduler.register(
                math.floor, "default", args=(number,), cron="* * * * *", name=f"event {number}"
            )

    def fire(self) -> float:
        """One pass of its loop, with what is due; the seconds it took."""
        past = datetime.now(UTC) - LONG_AGO
        far = datetime.now(UTC) + timedelta(days=1)
        for number, job in enumerate(self._scheduler.get_jobs()):
            job.next_enqueue_time = past if number < self._due else far
        return seconds(self._one_pass)

    def _one_pass(self) -> None:
        # The body of CronScheduler.start, which does this for ever.
        if self._scheduler.enqueue_jobs():
            self._scheduler.save()
        self._scheduler.heartbeat()
        self._scheduler.calculate_sleep_interval()


@cache
def _log_into_nothing() -> None:
    handler = logging.StreamHandler(open(os.devnull, "w"))  # noqa: SIM115
    handler.setFormatter(logging.Formatter(DEFAULT_LOGGING_FORMAT, DEFAULT_LOGGING_DATE_FORMAT))
    log = logging.getLogger("rq.cron")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
