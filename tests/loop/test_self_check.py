"""The clock's own check: it finds what does not fire, and raises no false alarm."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as AwayError

from clock import Schedule
from clock.ledger.pauses import Pause, pause, resume
from clock.loop.due import Due
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

MINUTES = range(0, 600, 1)


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="clock"):
        yield caplog


def test_a_clock_that_claims_nothing_says_so_once_for_each_event(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')", "every('minute', 'tasks.y')")
    Watched(redis, schedule, is_idle=True).turn(range(300))
    assert _said(logged, "overdue") == ["tasks.x", "tasks.y"]
    record = next(each for each in logged.records if each.message == "overdue")
    assert record.levelname == "ERROR"
    assert record.__dict__["fields"]["scheduled_at"].timestamp() == START + 10


def test_it_is_said_when_the_tolerance_is_over_and_not_before(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    clock = Watched(redis, schedule, is_idle=True, tolerance=30)
    clock.turn(range(41))
    assert _said(logged, "overdue") == []
    clock.turn(range(41, 43))
    assert _said(logged, "overdue") == ["tasks.x"]


def test_an_event_that_the_timetable_lost_is_found(
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')", "every('7 seconds', 'tasks.y')")
    clock = Watched(redis, schedule)
    clock.turn(range(100))
    advance = clock.loop._dispatcher.timetable.advance

    def lose(due: Due, decided: int) -> None:
        if due.pending % 10 == 0:
            advance(due, decided)

    with monkeypatch.context() as patched:
        patched.setattr(clock.loop._dispatcher.timetable, "advance", lose)
        clock.turn(range(100, 300))
    assert _said(logged, "overdue") == ["tasks.y"]


def test_a_held_event_is_overdue_and_caught_up_when_its_queue_is_mended(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    redis.set("rq:queue:default", "x")
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(200))
    assert _said(logged, "overdue") == ["tasks.x"]
    redis.delete("rq:queue:default")
    clock.turn(range(200, 220))
    assert _said(logged, "caught up") == ["tasks.x"]
    clock.turn(range(220, 400))
    assert len(_said(logged, "overdue")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "every('1 second', 'tasks.x')",
        "every('10 minutes', 'tasks.x', spread='5m')",
        "every('day', 'tasks.x')",
        "every('10 seconds', 'tasks.x', enabled=False)",
        "every('10 seconds', 'tasks.x', until=datetime(2010, 1, 1, tzinfo=UTC))",
        "every(times([datetime.fromtimestamp(1_800_000_005, UTC)]), 'tasks.x')",
        "every('10 seconds', 'tasks.x', if_=lambda occurrence: False)",
        "every('10 seconds', 'tasks.x', if_=lambda occurrence: 1 / 0)",
        "every('10 seconds', 'tasks.x', overlap='skip')",
        "every('10 seconds', 'tasks.x', catch_up='none', within='1s')",
    ],
)
def test_a_clock_that_does_its_work_raises_no_alarm(
    line: str, redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    Watched(redis, _read(read, line)).turn(MINUTES)
    assert _said(logged, "overdue") == []


def test_a_paused_event_raises_no_alarm_even_where_nothing_is_claimed(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"), is_idle=True)
    clock.turn(range(2))
    pause(redis, "test", "tasks.x", Pause(until=None, reason="", by="me", since=int(START)))
    clock.turn(range(2, 300))
    assert _said(logged, "overdue") == []
    resume(redis, "test", "tasks.x")
    clock.turn(range(300, 400))
    assert _said(logged, "overdue") == ["tasks.x"]


def test_a_suspended_clock_raises_no_alarm_when_it_goes_on(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn([*range(100), *range(4000, 4100)])
    assert _said(logged, "overdue") == []
    assert clock.housekeeping._pulse is not None
    assert clock.housekeeping._pulse.life.gaps == ((START + 95, START + 4000),)


def test_what_passed_while_a_clock_was_suspended_is_overdue_from_when_it_went_on(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"), is_idle=True)
    clock.turn([*range(30), *range(4000, 4060)])
    assert _said(logged, "overdue") == []
    clock.turn(range(4060, 4070))
    assert _said(logged, "overdue") == ["tasks.x"]


def test_a_server_that_was_away_raises_no_alarm_when_it_is_back(
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(100))

    def away(*_args: object, **_options: object) -> None:
        raise AwayError("away")

    with monkeypatch.context() as patched:
        patched.setattr(redis.connection_pool, "get_connection", away)
        clock.turn(range(100, 300))
    clock.turn(range(300, 500))
    assert _said(logged, "overdue") == []
    assert [each.message for each in logged.records if each.message[:7] == "server "] == [
        "server away",
        "server back",
    ]
    assert clock.housekeeping._pulse is not None
    assert clock.housekeeping._pulse.life.gaps == ((START + 95, START + 300),)


def test_many_events_at_once_are_named_in_part(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    lines = "for i in range(50): every('10 seconds', 'tasks.x', name=f'n{i}')"
    Watched(redis, read(lines), is_idle=True).turn(range(100))
    said = [each.__dict__["fields"] for each in logged.records if each.message == "overdue"]
    assert len(said) == 21
    assert said[-1] == {"more": 30}


def _read(read: ReadSchedule, line: str) -> Schedule:
    return read("from datetime import UTC, datetime", "from clock import times", line)


def _said(logged: pytest.LogCaptureFixture, message: str) -> list[str]:
    return [each.__dict__["fields"]["event"] for each in logged.records if each.message == message]
