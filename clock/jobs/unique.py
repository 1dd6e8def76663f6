"""Unique jobs: which jobs are equal, and for how long one stands for the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clock.recurrence.duration import LONGEST, parse_timeout
from clock.schedule.event import JobOptions

RQ_TIMEOUT = 180
"""Seconds a job may run by default: RQ's own."""

STUCK = 86_400
"""Seconds after which a job that still waits no longer stands for its equals: its worker may have
died between taking it and beginning it, and then it waits for ever."""

ENDLESS = 30 * 86_400
"""Seconds a job without a timeout stands for its equals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """Which jobs are equal (``digest``), while in which state, and for how many seconds at most;
    but for ``time``, these count from when the job is due.
    """

    kind: str
    digest: str
    lasts: int

    def lasts_for(self, delay: float) -> int:
        """For how many milliseconds at most a job that is due in ``delay`` seconds stands for its
        equals.
        """
        return 1000 * (self.lasts if self.kind == "time" else self.lasts + int(delay))


def read_unique(task: str, checked: Mapping[str, Any], job: JobOptions) -> Unique | None:
    """The uniqueness of a job of ``task`` by its checked options. Raises ValueError."""
    if "unique" not in checked:
        if "unique_key" in checked:
            raise ValueError("unique_key= has no effect without unique=")
        return None
    kind, lasts = checked["unique"]
    equal = checked.get("unique_key") or _arguments(checked)
    digest = hashlib.blake2b(f"{kind}\0{task}\0{equal}".encode(), digest_size=16).hexdigest()
    return Unique(kind=kind, digest=digest, lasts=lasts or _longest(checked, job))


def check_unique(value: Any) -> tuple[str, int]:
    """The kind of uniqueness, and its seconds where it is one of time."""
    if value in ("waiting", "unfinished"):
        return value, 0
    try:
        lasts = parse_timeout(value)
    except ValueError:
        lasts = 0.0
    if lasts < 1:
        raise ValueError(
            f"{value!r} must be 'waiting', 'unfinished' or a duration of at least one second"
        )
    return "time", int(lasts)


def _longest(checked: Mapping[str, Any], job: JobOptions) -> int:
    """Seconds within which a job that is not stuck has ended; its guard ends with them."""
    if job.timeout == -1:
        return STUCK + ENDLESS
    tries, pause = _tries(job.retry.max, job.retry.intervals) if job.retry else (1, 0)
    lasts = tries * ((RQ_TIMEOUT if job.timeout is None else job.timeout) + pause)
    repeat = checked.get("repeat")
    times, interval = _tries(repeat.times, repeat.intervals) if repeat else (1, 0)
    return int(min(STUCK + times * (lasts + interval), LONGEST))


def _tries(again: int, intervals: Any) -> tuple[int, int]:
    """How often something is done that is done ``again``, and the longest pause between."""
    return 1 + again, max(intervals, default=0)


def _arguments(checked: Mapping[str, Any]) -> str:
    """Equal strings for equal arguments; JSON, because pickles of equal values may differ."""
    try:
        return json.dumps([checked.get("args", ()), checked.get("kwargs", {})], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"unique=: these arguments cannot be compared ({error}); "
            "name equal jobs with unique_key="
        ) from None
