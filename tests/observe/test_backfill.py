"""Which occurrences of a span there are, and what the history says of each."""

from __future__ import annotations

import pytest
from redis import Redis

from clock.decision import Decision, Kind
from clock.errors import BackfillError
from clock.ledger.backfill import AT_ONCE, Backfill, Standing
from clock.observe.backfill import BackfillPlan, Candidate, candidates, plan_backfill
from clock.observe.reading import read_status
from clock.recurrence.elapsed import Elapsed
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

TENS = Elapsed(period=10, anchor=0)


def test_both_ends_of_the_span_belong_to_it() -> None:
    backfillable = candidates(TENS, 1010, 1030, [])
    assert [candidate.scheduled for candidate in backfillable] == [1010, 1020, 1030]


def test_a_run_in_the_history_answers_for_each_of_its_occurrences() -> None:
    history = [
        Decision(Kind.FIRED, 1040, 1040, 1, 0.1),
        Decision(Kind.MISSED, 1020, 1030, 2),
        Decision(Kind.PAUSED, 1010, 1010),
    ]
    assert [candidate.was for candidate in candidates(TENS, 1000, 1050, history)] == [
        None,
        Kind.PAUSED,
        Kind.MISSED,
        Kind.MISSED,
        Kind.FIRED,
        None,
    ]


def test_a_run_by_hand_in_the_same_second_is_not_the_occurrence() -> None:
    history = [Decision(Kind.MANUAL, 1010, 1010), Decision(Kind.OVERLAP, 1010, 1010)]
    assert list(candidates(TENS, 1010, 1010, history)) == [Candidate(1010, Kind.OVERLAP)]


def plan(redis: Redis, first: float, last: float, now: float, most: int = 100) -> BackfillPlan:
    event = read_status(redis, "test", now, decisions=None).event("tasks.x")
    backfill = Backfill.of_ledger(redis, app="test", event="tasks.x")
    return plan_backfill(backfill, event, int(first), int(last), now, most)


def test_a_plan_says_what_would_be_enqueued_and_enqueues_nothing(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x', catch_up='none')")
    clock = Watched(redis, schedule, now=START, app="test")
    clock.turn([*range(11), *range(45, 61)])  # nothing at 20, 30 and 40

    planned = plan(redis, START + 10, START + 60, clock.now)

    assert [candidate.scheduled - START for candidate in planned.candidates] == [*range(10, 70, 10)]
    assert [candidate.scheduled - START for candidate in planned.to_enqueue] == [20, 30, 40]
    assert planned.counted == {Standing.FIRED: 3, Standing.OPEN: 3}
    jobs = redis.llen("rq:queue:default")
    backfill = Backfill.of_ledger(redis, app="test", event="tasks.x")
    instants = [candidate.scheduled for candidate in planned.candidates]
    assert backfill.push_all(instants, lambda: clock.now) == list(planned.standings)
    assert redis.llen("rq:queue:default") == jobs + 3
    assert plan(redis, START + 10, START + 60, clock.now).to_enqueue == ()


def test_a_plan_of_many_occurrences_is_read_in_parts(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('1 second', 'tasks.x')"), now=START, app="test")
    clock.turn([0])
    count = 2 * AT_ONCE + 1
    planned = plan(redis, START - count, START - 1, START, most=count)
    assert len(planned.to_enqueue) == count


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (START, START - 1, "ends before it begins"),
        (START, START + 100, "in the future"),
        (START - 1010, START, "more than 100 occurrences"),
    ],
)
def test_a_span_that_cannot_be_backfilled_is_refused_in_words(
    first: float, last: float, words: str, redis: Redis, read: ReadSchedule
) -> None:
    Watched(redis, read("every('10 seconds', 'tasks.x')"), now=START, app="test").turn([0])
    with pytest.raises(BackfillError, match=words):
        plan(redis, first, last, START)


def test_the_times_of_code_are_left_to_its_schedule_file(redis: Redis, read: ReadSchedule) -> None:
    lines = (
        "from datetime import UTC, datetime, timedelta",
        "from clock import times",
        "def endless():",
        "    at = datetime(2027, 1, 15, 8, tzinfo=UTC)",
        "    while True:",
        "        yield at",
        "        at += timedelta(seconds=10)",
        "every(times(endless), 'tasks.x')",
    )
    Watched(redis, read(*lines), now=START, app="test").turn([0])
    with pytest.raises(BackfillError, match="clock backfill FILE"):
        plan(redis, START - 20, START, START)
