"""Why an occurrence fired, or did not."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import Schedule
from clock.ledger.pauses import Pause, pause
from clock.ledger.records import read_record
from clock.observe.snapshot import read_snapshot
from clock.observe.status import EventStatus, status
from clock.observe.why import Absence, Verdict, WhyAnswer, last_due, why
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

TEN = "every('10 seconds', 'tasks.x')"


def test_an_occurrence_that_fired_has_its_decision(redis: Redis, read: ReadSchedule) -> None:
    _run(redis, read(TEN), range(25))
    answer = _why(redis, 10, 25)
    assert (answer.verdict, answer.absence) == (Verdict.FIRED, None)
    assert answer.decision is not None
    assert answer.decision.lateness == 0.0


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("every('10 seconds', 'tasks.x', if_=lambda occurrence: False)", Verdict.UNMET),
        ("every('10 seconds', 'tasks.x', if_=lambda occurrence: 1 / 0)", Verdict.ERROR),
    ],
)
def test_a_condition_is_the_reason(
    line: str, verdict: Verdict, redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(line), range(25))
    assert _why(redis, 10, 25).verdict is verdict


def test_an_overlap_names_the_occurrence_whose_job_was_in_the_way(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read("every('10 seconds', 'tasks.x', overlap='skip')"), range(45))
    answer = _why(redis, 40, 45)
    assert (answer.verdict, answer.earlier) == (Verdict.OVERLAP, START + 10)


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ("catch_up='none'", Verdict.MISSED),
        ("within='1s', catch_up='all'", Verdict.TOO_LATE),
        ("catch_up=2", Verdict.OVER_CAP),
        ("expires='5s', catch_up='all'", Verdict.EXPIRED),
        ("", Verdict.MISSED),
    ],
)
def test_what_no_clock_could_claim_says_from_when_to_when_none_was_alive(
    options: str, verdict: Verdict, redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(f"every('10 seconds', 'tasks.x', {options})")
    _run(redis, schedule, range(26))
    _run(redis, schedule, [107], token="h:2:x")
    answer = _why(redis, 50, 110)
    assert answer.verdict is verdict
    assert answer.absence == Absence(start=START + 25, end=START + 107)


def test_a_suspended_clock_was_not_there(redis: Redis, read: ReadSchedule) -> None:
    _run(redis, read("every('10 seconds', 'tasks.x', catch_up='none')"), [*range(26), 107])
    answer = _why(redis, 50, 110)
    assert (answer.verdict, answer.absence) == (
        Verdict.MISSED,
        Absence(start=START + 25, end=START + 107),
    )


def test_a_paused_occurrence_is_paused(redis: Redis, read: ReadSchedule) -> None:
    clock = _run(redis, read(TEN), range(5))
    pause(redis, "test", "tasks.x", Pause(until=None, reason="r", by="me", since=int(START) + 5))
    clock.turn(range(5, 25))
    assert _why(redis, 10, 25).verdict is Verdict.PAUSED
    assert _why(redis, 60, 65).verdict is Verdict.PAUSED


def test_at_another_time_nothing_is_due_and_the_nearest_are_named(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(TEN), range(25))
    assert _why(redis, 13, 25) == WhyAnswer(
        at=int(START) + 13,
        verdict=Verdict.NOT_DUE,
        before=int(START) + 10,
        after=int(START) + 20,
    )


def test_what_is_to_come_is_coming(redis: Redis, read: ReadSchedule) -> None:
    _run(redis, read(TEN), range(25))
    assert _why(redis, 100, 25).verdict is Verdict.COMING


def test_before_the_event_was_added_it_was_not_in_the_schedule(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(TEN), range(25))
    assert _why(redis, -60, 25).verdict is Verdict.NOT_SCHEDULED


def test_after_the_event_was_removed_it_was_not_in_the_schedule(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(TEN), range(25))
    _run(redis, read("every('10 seconds', 'tasks.y')"), range(25, 50), token="h:2:x")
    assert _why(redis, 20, 60).verdict is Verdict.FIRED
    assert _why(redis, 40, 60).verdict is Verdict.NOT_SCHEDULED


def test_a_disabled_event_is_disabled(redis: Redis, read: ReadSchedule) -> None:
    _run(redis, read("every('10 seconds', 'tasks.x', enabled=False)"), range(25))
    assert _why(redis, 10, 25).verdict is Verdict.DISABLED


def test_an_occurrence_too_old_for_the_history_is_forgotten(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read("every('1 second', 'tasks.x')"), range(300))
    answer = _why(redis, 10, 300)
    assert answer.verdict is Verdict.FORGOTTEN
    assert answer.known_from is not None
    assert START + 200 < answer.known_from < START + 300
    assert _why(redis, 299, 300).verdict is Verdict.FIRED


def test_a_due_undecided_occurrence_is_pending_overdue_or_without_a_clock(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = _run(redis, read(TEN), range(30), is_idle=True)
    assert _why(redis, 10, 30).verdict is Verdict.PENDING
    clock.turn(range(30, 100))
    assert _why(redis, 10, 100).verdict is Verdict.OVERDUE
    answer = _why(redis, 10, 200)
    assert answer.verdict is Verdict.NO_CLOCK
    assert answer.absence == Absence(start=START + 95, end=None)


def test_a_stream_is_known_as_far_as_it_was_published(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "from datetime import UTC, datetime",
        "from clock import times",
        "def given(): return [datetime.fromtimestamp(1_800_000_000 + 60 * n, UTC) "
        "for n in range(500)]",
        "every(times(given), 'tasks.x')",
    )
    _run(redis, schedule, range(130))
    assert _why(redis, 60, 130).verdict is Verdict.FIRED
    assert _why(redis, 90, 130).verdict is Verdict.NOT_DUE
    assert _why(redis, 600, 130).verdict is Verdict.COMING
    assert _why(redis, 60 * 400, 130).verdict is Verdict.UNKNOWN


def test_a_missed_run_answers_for_its_occurrences_and_not_for_instants_between(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read("every('10 seconds', 'tasks.x', catch_up='none')"), [*range(26), 107])
    assert _why(redis, 60, 110).verdict is Verdict.MISSED
    assert _why(redis, 63, 110).verdict is Verdict.NOT_DUE


def test_without_an_instant_the_last_due_occurrence_is_explained(
    redis: Redis, read: ReadSchedule
) -> None:
    _run(redis, read(TEN), range(25))
    assert last_due(_event(redis, 29), START + 29) == START + 20
    assert last_due(_event(redis, 5), START + 5) is None


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


def _event(redis: Redis, second: float) -> EventStatus:
    app_status = status(read_snapshot(redis, "test", None), START + second)
    (event,) = (
        event for event in (*app_status.events, *app_status.removed) if event.name == "tasks.x"
    )
    assert event.record == read_record(redis, "test", "tasks.x")
    return event


def _why(redis: Redis, at: int, asked: float) -> WhyAnswer:
    lives = read_snapshot(redis, "test").lives
    return why(_event(redis, asked), lives, int(START) + at, START + asked)
