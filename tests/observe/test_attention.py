"""What needs attention, read from a ledger that clocks and workers wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from redis import Redis
from rq import Queue

from clock import keys
from clock.ledger.pauses import Pause, pause
from clock.observe.attention import Attention, AttentionKind
from clock.observe.last_errors import last_line
from clock.observe.reading import read_attention, read_status
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.conftest import ReadSchedule
from tests.jobs.working import work_off
from tests.loop.heartbeat import START, Watched

TEN = "every('10 seconds', 'tasks.x', name='ten')"
DAY = 86_400


def test_where_all_is_well_only_the_missing_worker_needs_attention(
    redis: Redis, read: ReadSchedule
) -> None:
    now = _turned(redis, read(TEN, TEN.replace("ten", "off").replace(")", ", enabled=False)")))
    (item,) = _attention(redis, now)
    assert (item.kind, item.name) == (AttentionKind.WITHOUT_WORKER, "default")
    assert item.line == "no worker listens on this queue of 1 event"


def test_a_failing_event_has_the_last_line_of_its_error_and_since_when_it_fails(
    redis: Redis, read: ReadSchedule
) -> None:
    now = _turned(redis, read(TEN))
    job = Queue("default", connection=redis).enqueue("tests.jobs.working.fail")
    work_off(redis)
    _ran(redis, RunOutcome.SUCCEEDED, 5, "earlier")
    for second in (10, 20):
        _ran(redis, RunOutcome.FAILED, second, job.id)
    item = _attention(redis, now, runs=24)[0]
    assert (item.kind, item.name, item.since) == (AttentionKind.FAILING, "ten", START + 10)
    assert item.line == "ValueError: no such feed"
    assert item.run is not None
    assert item.run.job == job.id


def test_without_its_error_a_failing_event_has_the_class_of_it(
    redis: Redis, read: ReadSchedule
) -> None:
    now = _turned(redis, read(TEN))
    _ran(redis, RunOutcome.FAILED, 20, "gone")
    assert _attention(redis, now)[0].line == "ValueError"


def test_an_event_that_succeeded_again_is_not_failing(redis: Redis, read: ReadSchedule) -> None:
    now = _turned(redis, read(TEN))
    _ran(redis, RunOutcome.FAILED, 10, "one")
    _ran(redis, RunOutcome.SUCCEEDED, 20, "two")
    assert _kinds(redis, now) == ["without a worker"]


def test_a_condition_that_raises_makes_an_event_failing(redis: Redis, read: ReadSchedule) -> None:
    now = _turned(redis, read(TEN.replace(")", ", if_=lambda occurrence: 1 / 0)")))
    (item, _) = _attention(redis, now)
    assert (item.kind, item.line, item.run) == (
        AttentionKind.FAILING, "its condition failed", None,
    )  # fmt: skip


def test_an_overdue_event_says_when_it_should_have_fired(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("timezone('UTC')", TEN), is_idle=True)
    clock.turn(range(0, 100, 4))
    (item, _) = _attention(redis, clock.now)
    assert (item.kind, item.since) == (AttentionKind.OVERDUE, START + 10)
    assert item.line == "should have fired at Fri 2027-01-15 08:00:10 +0000"


def test_without_a_clock_an_event_whose_time_is_past_is_overdue(
    redis: Redis, read: ReadSchedule
) -> None:
    now = _turned(redis, read(TEN))
    (item, _) = _attention(redis, now + 100)
    assert (item.kind, item.since) == (AttentionKind.OVERDUE, START + 30)
    assert item.line.endswith("schedule.py is alive")


def test_a_missed_event_says_why_and_how_many(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(TEN.replace(")", ", catch_up='none')"))
    clock = Watched(redis, schedule)
    clock.turn([0, 10, 54])
    (item, _) = _attention(redis, clock.now)
    assert (item.kind, item.since) == (AttentionKind.MISSED, START + 50)
    assert item.line == "no clock could claim it (4 occurrences)"


def test_a_record_ahead_of_the_servers_time_is_refused(redis: Redis, read: ReadSchedule) -> None:
    now = _turned(redis, read(TEN))
    line = redis.hget(keys.decided("test"), "ten")
    assert isinstance(line, bytes)
    redis.hset(keys.decided("test"), "ten", b"1900000000" + line[10:])
    (item, _) = _attention(redis, now)
    assert (item.kind, item.name, item.since) == (AttentionKind.REFUSED, "ten", None)
    assert "ahead of the server's time" in item.line


def test_two_clocks_that_disagree_are_refused(redis: Redis, read: ReadSchedule) -> None:
    clocks = [
        Watched(redis, read(TEN.replace("tasks.x", task)), token=f"h:{pid}:x", conflict_after=20.0)
        for pid, task in enumerate(("tasks.x", "tasks.y"), 1)
    ]
    for second in range(0, 60, 5):
        for clock in clocks:
            clock.turn([second])
    (item, _) = _attention(redis, clocks[0].now)
    assert (item.kind, item.name, item.since) == (AttentionKind.REFUSED, "ten", START)
    assert item.line.startswith("two clocks declare it differently: h:1 of ")


@pytest.mark.parametrize(
    ("since", "kinds"), [(-DAY - 100, ["paused", "without a worker"]), (0, ["without a worker"])]
)
def test_a_pause_needs_attention_after_a_day(
    since: int, kinds: list[str], redis: Redis, read: ReadSchedule
) -> None:
    now = _turned(redis, read(TEN))
    _pause(redis, int(START) + since)
    # A person paused it, and knows that it fails.
    _ran(redis, RunOutcome.FAILED, 20, "one")
    assert sorted(_kinds(redis, now)) == kinds


def test_a_pause_says_who_and_why_on_one_plain_line(redis: Redis, read: ReadSchedule) -> None:
    now = _turned(redis, read(TEN))
    _pause(redis, int(START) - 2 * DAY, reason="moves\n\x1b[31mred " + "x" * 1000)
    item = _attention(redis, now)[-1]
    assert (item.kind, item.since) == (AttentionKind.PAUSED, START - 2 * DAY)
    assert item.line.startswith("paused by ann@host: moves red xxx")
    assert len(item.line) == 201


def test_the_most_urgent_kind_comes_first_and_in_it_the_latest(
    redis: Redis, read: ReadSchedule
) -> None:
    names = ("a", "b", "c")
    now = _turned(redis, read(*(TEN.replace("ten", name) for name in names)))
    _pause(redis, int(START) - 2 * DAY, event="c")
    for name, second in (("a", 10), ("b", 20)):
        _ran(redis, RunOutcome.FAILED, second, "gone", event=name)
    items = _attention(redis, now)
    assert [(str(item.kind), item.name) for item in items] == [
        ("failing", "b"), ("failing", "a"), ("without a worker", "default"), ("paused", "c"),
    ]  # fmt: skip
    assert [str(kind) for kind in AttentionKind] == [
        "failing", "overdue", "refused", "missed", "without a worker", "paused",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, ""),
        ("", ""),
        ("Traceback:\n  File\nE: a\n", "E: a"),
        ("Traceback:\nE: " + "x" * 10_000_000, "E: " + "x" * 197 + "…"),
        ("E: \x1b]0;title\x07\x00\u202ea", "E: \\x00\\u202ea"),
    ],
    ids=["none", "empty", "last line", "long", "hostile"],
)
def test_the_last_line_of_an_error_is_short_and_plain(error: str | None, line: str) -> None:
    assert last_line(error) == line


def _turned(redis: Redis, schedule: Any) -> float:
    clock = Watched(redis, schedule)
    clock.turn(range(25))
    return clock.now


def _attention(redis: Redis, now: float, runs: int = 1) -> Sequence[Attention]:
    return read_attention(redis, read_status(redis, "test", now, runs=runs))


def _kinds(redis: Redis, now: float) -> list[str]:
    return [str(item.kind) for item in _attention(redis, now)]


def _pause(redis: Redis, since: int, *, event: str = "ten", reason: str = "") -> None:
    pause(redis, "test", event, Pause(until=None, reason=reason, by="ann@host", since=since))


def _ran(redis: Redis, outcome: RunOutcome, second: int, job: str, *, event: str = "ten") -> None:
    at = START + second
    run = Run(
        event=event, scheduled=int(at), enqueued=at, started=at, ended=at + 1, outcome=outcome,
        error="ValueError" if outcome is RunOutcome.FAILED else None, attempt=1, worker="w",
        job=job,
    )  # fmt: skip
    write_run(redis, "test", run)
