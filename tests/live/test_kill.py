"""A clock that is killed at any moment, again and again."""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from redis import Redis

from tests.live.absence import MARGIN, Absence, assert_fired_by_the_rules
from tests.live.clock_process import ClockProcess, logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired, job_hashes, scheduled
from tests.live.waiting import wait_for, wait_until

KILLS = 20
LONGEST_LIFE = 4.0
"""Seconds from the start of the process; a third of a second of them is the start of Python."""

LONGEST_GAP = 1.2
"""Seconds from a kill to the start of the next process."""

PERIODS = {"a": 1, "b": 3}


@dataclass(frozen=True, slots=True)
class Life:
    """A clock's life, from its first log line (None where it was killed before) to its death; UTC
    seconds since 1970.
    """

    begin: float | None
    end: float

    @property
    def surely_claimed(self) -> bool:
        """Whether it lived long enough to make up for what was missed before it."""
        return self.begin is not None and self.end - self.begin > MARGIN


@pytest.mark.long
@pytest.mark.timeout(240)
def test_twenty_kills_double_nothing_and_lose_only_what_catch_up_drops(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    seed = int(os.environ.get("KILL_SEED") or secrets.randbits(32))
    sys.stdout.write(f"KILL_SEED={seed}\n")
    dice = random.Random(seed)
    file = write_schedule(
        *(f"every('{n} seconds', 'tasks.x', name={name!r})" for name, n in PERIODS.items())
    )
    lives = [_live(start_clock(file), LONGEST_LIFE)]
    for _ in range(KILLS - 1):
        wait_until(time.time() + dice.uniform(0, LONGEST_GAP))
        lives.append(_live(start_clock(file), dice.uniform(0.1, LONGEST_LIFE)))
    last = start_clock(file)
    last.wait_for_line("started")
    wait_for("the last clock enqueues twice", lambda: len(last.lines("enqueued")) >= 2)
    end = time.time()
    assert last.stop() == 0
    lives.append(Life(logged_at(last.lines("started")[0]), end))

    assert lives[0].begin is not None
    for name, period in PERIODS.items():
        assert_fired_by_the_rules(
            scheduled(redis, name), period, _absences(lives), since=lives[0].begin, until=end
        )
    ids = [job.job_id for job in fired(redis)]
    assert len(ids) == len(set(ids))
    assert set(ids) == job_hashes(redis)


def _live(clock: ClockProcess, seconds: float) -> Life:
    wait_until(clock.spawned + seconds)
    end = clock.kill()
    started = clock.lines("started")
    return Life(logged_at(started[0]) if started else None, end)


def _absences(lives: Sequence[Life]) -> list[Absence]:
    """From each death to each later birth with none between that surely claimed: what a clock that
    died at once was able to do is not known.
    """
    absences = []
    for index, life in enumerate(lives):
        interrupted = False
        for later in lives[index + 1 :]:
            if later.begin is None:
                continue
            absences.append(Absence(start=life.end, end=later.begin, interrupted=interrupted))
            if later.surely_claimed:
                break
            interrupted = True
    return absences
