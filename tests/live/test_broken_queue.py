"""A queue whose key holds something else."""

from __future__ import annotations

import time

from redis import Redis

from tests.live.absence import Absence, assert_fired_by_the_rules
from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import scheduled
from tests.live.waiting import wait_for


def test_a_broken_queue_is_reported_once_delays_no_other_and_fires_when_repaired(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    redis.set("rq:queue:broken", "x")
    file = write_schedule(
        "every('1 second', 'tasks.x', name='before')",
        "every('1 second', 'tasks.x', name='lame', queue='broken')",
        "every('1 second', 'tasks.x', name='after', queue='other')",
    )
    clock = start_clock(file)
    begin = logged_at(clock.wait_for_line("started"))
    wait_for("a healthy event fires four times", lambda: len(scheduled(redis, "after")) >= 4)
    assert [line["event"] for line in clock.lines("trouble")] == ["lame"]

    redis.delete("rq:queue:broken")
    repaired = time.time()
    wait_for("it fires again", lambda: redis.llen("rq:queue:broken") >= 3)
    end = time.time()
    assert clock.stop() == 0

    for event in ("before", "after"):
        assert_fired_by_the_rules(scheduled(redis, event), 1, [], since=begin, until=end)
    # A refused claim is made again within a second or so; until then it may still be held.
    lame = scheduled(redis, "lame")
    held = Absence(start=begin, end=max(repaired, float(lame[0])))
    assert_fired_by_the_rules(lame, 1, [held], since=lame[0], until=end)
    assert repaired - 2 < lame[0] < repaired + 2, "not the newest of what it missed"
    assert [line["msg"] for line in clock.troubles()] == ["trouble", "missed"]
    assert [line["event"] for line in clock.troubles()] == ["lame", "lame"]
