"""A clock that is stopped and goes on later, as on a laptop that slept."""

from __future__ import annotations

import math
import os
import signal
import time

from redis import Redis

from tests.live.absence import Absence, assert_fired_by_the_rules
from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import scheduled
from tests.live.waiting import wait_for, wait_until

SUSPENDED = float(os.environ.get("SUSPENDED_FOR", "6.2"))
"""Seconds. A minute takes the same way through the code, and a minute of the tests' time."""


def test_a_suspended_clock_fires_the_newest_missed_and_goes_on(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='a')",
        "every('2 seconds', 'tasks.x', name='b')",
        "every('1 second', 'tasks.x', name='c', catch_up='all')",
    )
    clock = start_clock(file)
    begin = logged_at(clock.wait_for_line("started"))
    wait_for("b fires", lambda: scheduled(redis, "b"))

    # Between two seconds, when no claim is under way: such a claim could go either way.
    stopped = math.floor(time.time()) + 1.5
    wait_until(stopped)
    clock.send(signal.SIGSTOP)
    wait_until(stopped + SUSPENDED)
    clock.send(signal.SIGCONT)
    resumed = time.time()
    wait_for("a fires twice more", lambda: scheduled(redis, "a")[-1] > resumed + 1)
    end = time.time()
    assert clock.stop() == 0

    # It looks at the wall clock at most a second after it goes on, and what passed by then was
    # missed with the rest.
    noticed = min(at for at in map(logged_at, clock.lines("enqueued")) if at > resumed)
    assert noticed < resumed + 1.3
    absence = Absence(start=stopped, end=noticed)
    for event, period in {"a": 1, "b": 2}.items():
        assert_fired_by_the_rules(
            scheduled(redis, event), period, [absence], since=begin, until=end
        )
    assert_fired_by_the_rules(scheduled(redis, "c"), 1, [], since=begin, until=end)
    assert {line["msg"] for line in clock.troubles()} == {"missed"}
