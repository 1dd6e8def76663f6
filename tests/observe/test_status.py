"""The status of an application, read from the ledger alone."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import Schedule
from clock.ledger.clocks import ALIVE_WITHIN
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause
from clock.observe.reading import read_status
from clock.observe.snapshot import read_snapshot
from clock.observe.state import State
from clock.observe.status import AppStatus, EventStatus, status
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

TEN = "every('10 seconds', 'tasks.x')"


def test_a_clock_that_does_its_work_is_healthy(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read(TEN), range(25))
    app_status = _status(redis, clock.now)
    assert (app_status.is_healthy, app_status.has_clocks, app_status.missing) == (True, True, ())
    (event,) = app_status.events
    assert (event.state, event.next, event.pending) == (State.ON_TIME, START + 30, START + 30)
    assert event.record is not None
    assert (event.record.fired, event.pause, event.overdue) == (START + 20, None, None)
    assert app_status.last_tick() == START + 20


def test_a_reader_computes_what_the_schedule_file_says(redis: Redis, read: ReadSchedule) -> None:
    lines = ("every('month', 'tasks.x', on='last friday', at='23:30', tz='Europe/Berlin')",)
    schedule = read(*lines)
    clock = _run(redis, schedule, [0])
    (event,) = _status(redis, clock.now).events
    assert event.recurrence == schedule.events["tasks.x"].recurrence
    assert event.next == schedule.events["tasks.x"].recurrence.next(int(START))


def test_everything_is_read_in_one_round_trip_whatever_the_number_of_events(
    redis: Redis, read: ReadSchedule
) -> None:
    counts = []
    for number in (1, 300):
        redis.flushall()
        _run(redis, read(f"for i in range({number}): every('day', 'tasks.x', name=f'n{{i}}')"), [0])
        redis.config_resetstat()
        assert len(_status(redis, START).events) == number
        calls = {name: stats["calls"] for name, stats in redis.info("commandstats").items()}
        assert set(calls) == {"cmdstat_hgetall", "cmdstat_multi", "cmdstat_exec"} | (
            calls.keys() & {"cmdstat_config|resetstat"}
        )
        counts.append(calls["cmdstat_hgetall"])
    assert counts == [8, 8]


def test_without_a_clock_nothing_is_overdue_and_no_clock_is_what_is_wrong(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = _run(redis, read(TEN), range(25))
    app_status = _status(redis, clock.now + 3600)
    assert (app_status.alive, app_status.has_clocks, app_status.is_healthy) == ((), False, False)
    assert app_status.overdue == ()
    assert app_status.events[0].state is State.NO_CLOCK
    assert app_status.last_tick() == START + 20


def test_an_application_nobody_ever_ran_has_no_clocks(redis: Redis) -> None:
    app_status = _status(redis, START)
    assert (app_status.events, app_status.has_clocks, app_status.last_tick()) == ((), False, None)


def test_a_clock_that_claims_nothing_is_overdue(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read(TEN), range(60), is_idle=True)
    assert _status(redis, clock.now).is_healthy
    clock.turn(range(60, 100))
    app_status = _status(redis, clock.now)
    (event,) = app_status.overdue
    assert (event.state, event.pending, event.overdue) == (State.OVERDUE, START + 10, 89.0)
    assert (app_status.has_clocks, app_status.is_healthy) == (True, False)
    assert _status(redis, clock.now, tolerance=100).is_healthy


def test_an_event_of_a_file_without_a_clock_misses_its_clock_not_another(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(TEN)
    other = Schedule(
        path="other.py", zone=schedule.zone, events=read("every('minute', 'tasks.y')").events
    )
    _run(redis, schedule, range(25))
    clock = _run(redis, other, range(200), token="h:2:x")
    app_status = _status(redis, clock.now)
    assert app_status.missing == (schedule.path,)
    assert [(event.name, event.state) for event in app_status.events] == [
        ("tasks.x", State.NO_CLOCK),
        ("tasks.y", State.ON_TIME),
    ]
    assert (len(app_status.alive), app_status.has_clocks) == (1, False)


def test_what_passed_before_a_clock_started_is_overdue_from_its_start(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(TEN)
    _run(redis, schedule, range(20))
    clock = _run(redis, schedule, range(5000, 5059), is_idle=True, token="h:2:x")
    assert _status(redis, clock.now).is_healthy
    clock.turn(range(5059, 5070))
    app_status = _status(redis, clock.now)
    assert [(event.pending, event.overdue) for event in app_status.overdue] == [(START + 20, 69.0)]


def test_two_clocks_of_a_file_are_there_since_the_first_of_them(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(TEN)
    old = _run(redis, schedule, range(70), is_idle=True)
    new = Watched(redis, schedule, now=START + 70, is_idle=True, token="h:2:x")
    for second in range(70, 90):
        old.turn([second])
        new.turn([second])
    assert [event.name for event in _status(redis, START + 90).overdue] == ["tasks.x"]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (TEN, State.ON_TIME),
        ("every('day', 'tasks.x')", State.NEVER_RUN),
        ("every('10 seconds', 'tasks.x', enabled=False)", State.DISABLED),
        ("every('10 seconds', 'tasks.x', if_=lambda occurrence: 1 / 0)", State.FAILING),
        ("every('10 seconds', 'tasks.x', if_=lambda occurrence: False)", State.NEVER_RUN),
        ("every('10 seconds', 'tasks.x', until=datetime(2010, 1, 1, tzinfo=UTC))", State.NEVER_RUN),
        (
            "every(times([datetime.fromtimestamp(1_800_000_010, UTC)]), 'tasks.x')",
            State.ON_TIME,
        ),
    ],
)
def test_the_state_of_an_event(line: str, state: State, redis: Redis, read: ReadSchedule) -> None:
    schedule = read("from datetime import UTC, datetime", "from clock import times", line)
    clock = _run(redis, schedule, range(300))
    app_status = _status(redis, clock.now)
    assert app_status.events[0].state is state
    assert app_status.is_healthy


def test_an_event_that_was_made_up_late_is_late_and_then_on_time_again(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = _run(redis, read("every('minute', 'tasks.x')"), [*range(90), 170])
    assert _event(redis, clock.now).state is State.LATE
    clock.turn([180])
    assert _event(redis, clock.now).state is State.ON_TIME


def test_an_event_that_was_not_made_up_is_missed(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read("every('minute', 'tasks.x', catch_up='none')"), [*range(90), 170])
    assert _event(redis, clock.now).state is State.MISSED


def test_a_run_by_hand_changes_no_state(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read("every('minute', 'tasks.x', catch_up='none')"), [*range(90), 170])
    run_now(redis, "test", "tasks.x", clock.now)
    assert _event(redis, clock.now).state is State.MISSED


def test_a_paused_event_is_paused_until_its_pause_ends(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read(TEN), range(5))
    asked = Pause(until=int(START) + 100, reason="moving", by="me", since=int(START))
    pause(redis, "test", "tasks.x", asked)
    clock.turn(range(5, 99))
    event = _event(redis, clock.now)
    assert (event.state, event.pause) == (State.PAUSED, asked)
    clock.turn(range(99, 111))
    event = _event(redis, clock.now)
    assert (event.state, event.pause) == (State.ON_TIME, None)


def test_an_event_that_no_schedule_has_any_more_is_removed_and_not_overdue(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(TEN, "every('10 seconds', 'tasks.y')"), range(20))
    clock = _run(redis, read("every('10 seconds', 'tasks.y')"), range(20, 200), token="h:2:x")
    app_status = _status(redis, clock.now)
    assert [event.name for event in app_status.events] == ["tasks.y"]
    assert [(event.name, event.next) for event in app_status.removed] == [("tasks.x", None)]
    assert app_status.is_healthy


def test_a_stream_has_the_next_of_its_published_instants(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "from datetime import UTC, datetime",
        "from clock import times",
        "def given(): return [datetime.fromtimestamp(1_800_000_000 + 60 * n, UTC) "
        "for n in range(500)]",
        "every(times(given), 'tasks.x')",
    )
    clock = _run(redis, schedule, range(130))
    event = _event(redis, clock.now)
    assert (event.state, event.next) == (State.ON_TIME, START + 180)
    idle = _run(redis, schedule, range(130, 400), is_idle=True, token="h:2:x")
    assert _event(redis, idle.now).state is State.OVERDUE


def test_a_run_that_failed_makes_an_event_failing(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read(TEN), range(25))
    failed = Run(
        event="tasks.x",
        scheduled=int(START),
        enqueued=START,
        started=START,
        ended=START + 1,
        outcome=RunOutcome.FAILED,
        error="ValueError",
        attempt=1,
        worker="w",
        job="j",
    )
    write_run(redis, "test", failed)
    (event,) = read_status(redis, "test", clock.now).events
    assert (event.state, event.is_failing) == (State.FAILING, True)


def test_a_clock_that_was_suspended_is_away_and_back_without_an_alarm(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = _run(redis, read(TEN), range(25))
    assert not _status(redis, START + 20 + ALIVE_WITHIN).has_clocks
    clock.turn([3600])
    assert _status(redis, clock.now).is_healthy


def _run(
    redis: Redis,
    schedule: Schedule,
    seconds: range | list[int],
    *,
    is_idle: bool = False,
    token: str = "h:1:x",
) -> Watched:
    clock = Watched(redis, schedule, now=START + seconds[0], is_idle=is_idle, token=token)
    clock.turn(seconds)
    return clock


def _status(redis: Redis, now: float, tolerance: float = 60) -> AppStatus:
    return status(read_snapshot(redis, "test"), now, tolerance=tolerance)


def _event(redis: Redis, now: float) -> EventStatus:
    (event,) = _status(redis, now).events
    return event
