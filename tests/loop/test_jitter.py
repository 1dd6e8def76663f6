"""Events with jitter: they fire when they are due, and are known by their times."""

from __future__ import annotations

import logging

import pytest
from redis import Redis

from clock import Event, Schedule
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from clock.loop.loop import Loop
from clock.observe.snapshot import read_snapshot
from clock.observe.status import status
from clock.observe.why import Verdict, why
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.jobs import scheduled
from tests.loop.heartbeat import Watched
from tests.loop.passes import take_turn

START = 1_800_000_000
LINE = "every('10 minutes', 'tasks.x', jitter='5m'{})"


class Passes:
    """A clock whose turns are taken one by one."""

    def __init__(self, redis: Redis, schedule: Schedule, token: str = "t") -> None:
        self.now = float(START)
        (self.event,) = schedule.events.values()
        ledger = Ledger(redis, app="test", token=token)
        self.loop = Loop([self.event], ledger, Stop(), now=lambda: self.now)

    def to(self, *moments: float) -> None:
        for moment in moments:
            self.now = START + moment
            self.loop.tick()


def delay_of(event: Event, moment: int) -> int:
    return event.due_at(START + moment, "test") - START - moment


def fired(redis: Redis) -> list[int]:
    return [at - START for at in scheduled(redis, "tasks.x")]


def test_it_fires_when_it_is_due_and_is_known_by_its_time(redis: Redis, read: ReadSchedule) -> None:
    clock = Passes(redis, read(LINE.format("")))
    delay = delay_of(clock.event, 600)
    assert delay > 5
    clock.to(*range(0, 600 + delay, 2))
    assert fired(redis) == []
    clock.to(600 + delay)
    assert fired(redis) == [600]
    record = read_record(redis, "test", "tasks.x")
    assert record.decided == START + 600
    assert record.history[0].lateness == pytest.approx(0, abs=0.01)


def test_every_occurrence_fires_once_with_two_clocks(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(LINE.format(""))
    one, two = Passes(redis, schedule, "one"), Passes(redis, schedule, "two")
    for moment in range(0, 6000, 2):
        one.to(moment)
        two.to(moment + 1)
    assert fired(redis) == list(range(600, 6000 - 300, 600))[: len(fired(redis))]
    assert len(fired(redis)) >= 9


def test_a_restart_between_time_and_delay_fires_it_once(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(LINE.format(", catch_up='none'"))
    before = Passes(redis, schedule)
    before.to(0, 4)
    delay = delay_of(before.event, 600)
    after = Passes(redis, schedule, "again")
    after.to(600 + delay - 2)
    assert fired(redis) == []
    after.to(600 + delay)
    assert fired(redis) == [600]


@pytest.mark.parametrize(
    ("options", "expected", "missed"),
    [(", catch_up='none'", [], 3), ("", [1800], 2), (", catch_up='all'", [600, 1200, 1800], 0)],
)
def test_what_was_due_while_no_clock_was_there_is_caught_up(
    redis: Redis, read: ReadSchedule, options: str, expected: list[int], missed: int
) -> None:
    schedule = read(LINE.format(options))
    Passes(redis, schedule).to(0, 4)
    clock = Passes(redis, schedule, "again")
    # The time of the fourth is past as well, but it is not due yet.
    assert delay_of(clock.event, 2400) > 1
    for _ in range(3):
        clock.to(2400)
    assert fired(redis) == expected
    assert read_record(redis, "test", "tasks.x").counters["missed"] == missed
    clock.to(*range(2402, 2400 + delay_of(clock.event, 2400) + 1, 2))
    clock.to(2400 + delay_of(clock.event, 2400))
    assert fired(redis) == [*expected, 2400]


def test_within_and_expires_count_from_when_it_is_due(redis: Redis, read: ReadSchedule) -> None:
    clock = Passes(redis, read(LINE.format(", within='4s', expires='4s'")))
    delay = delay_of(clock.event, 600)
    assert delay > 5
    clock.to(0, *range(2, 600 + delay, 2), 600 + delay)
    assert fired(redis) == [600]
    assert redis.pttl(redis.keys("rq:job:*")[0]) > 2000


def test_a_condition_is_asked_about_the_time(redis: Redis, read: ReadSchedule) -> None:
    clock = Passes(redis, read(LINE.format(", if_=lambda t: t.minute % 10 == 0 and t.second == 0")))
    delay = delay_of(clock.event, 600)
    clock.to(*range(0, 600 + delay, 2))
    clock.now = START + 600 + delay
    take_turn(clock.loop)
    assert fired(redis) == [600]


def test_it_is_not_overdue_before_it_is_due(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 minutes', 'tasks.x', jitter='9m')")
    with caplog.at_level(logging.ERROR, logger="clock"):
        clock = Watched(redis, schedule, tolerance=5)
        clock.turn(range(0, 3600, 2))
    assert [record.message for record in caplog.records] == []
    assert len(scheduled(redis, "tasks.x")) >= 4


def test_status_and_why_wait_for_the_delay(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("every('10 minutes', 'tasks.x', jitter='9m')")
    clock = Watched(redis, schedule, tolerance=5)
    (event,) = schedule.events.values()
    clock.turn(range(0, 602, 2))
    delay = event.due_at(START + 600, "test") - START - 600
    assert delay > 20
    now = START + 600 + delay - 2
    reading = status(read_snapshot(redis, "test"), now, tolerance=5)
    (seen,) = reading.events
    assert (seen.overdue, seen.pending, seen.next) == (None, START + 600, START + 600)
    assert seen.pending_due == START + 600 + delay
    assert why(seen, reading.lives, START + 600, now).verdict is Verdict.COMING
    assert seen.description.sentence.endswith(", each time up to 9 minutes later")
