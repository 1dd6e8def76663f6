"""What changed between two readings, over a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis
from rq import Queue

from clock.ledger.pauses import Pause, pause
from clock.observe.changes import Changes, Reading, changes, read_all
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

Read = Callable[[float], Reading]


@pytest.fixture
def clock(redis: Redis, read: ReadSchedule) -> Watched:
    """A clock of two events that ran for ten seconds."""
    watched = Watched(
        redis,
        read(
            "every('10 seconds', 'tests.jobs.working.say', name='ten')",
            "every('day', 'tests.jobs.working.say', name='daily', at='02:30')",
        ),
    )
    watched.turn(range(11))
    return watched


@pytest.fixture
def look(redis: Redis, clock: Watched) -> Read:
    return lambda second: read_all(redis, "test", START + second, tolerance=60)


def what(changed: Changes) -> list[str]:
    """The events and the words for what else changed."""
    others = {"status": changed.status, "queues": changed.queues, "attention": changed.attention}
    return [
        *changed.events,
        *(f"-{name}" for name in changed.removed),
        *(word for word, is_changed in others.items() if is_changed),
    ]


def test_that_time_passes_is_not_a_change(look: Read, clock: Watched) -> None:
    before = look(11)
    clock.turn([12, 13])
    assert not changes(before, look(14))


def test_a_decision_changes_its_event_and_its_queue(look: Read, clock: Watched) -> None:
    before = look(11)
    clock.turn([20])
    assert what(changes(before, look(21))) == ["ten", "queues"]


def test_a_pause_and_a_run_change_their_event(look: Read, redis: Redis) -> None:
    before = look(11)
    paused = Pause(until=None, reason="", by="me", since=int(START) + 11)
    pause(redis, "test", "daily", paused)
    assert what(changes(before, between := look(11))) == ["daily"]
    run = Run(
        event="ten", scheduled=int(START), enqueued=START, started=START, ended=START + 1,
        outcome=RunOutcome.FAILED, error="ValueError", attempt=1, worker="w", job="j",
    )  # fmt: skip
    write_run(redis, "test", run)
    assert what(changes(between, look(11))) == ["ten", "attention"]


def test_an_overdue_event_changes_once(redis: Redis, read: ReadSchedule) -> None:
    def look(second: float) -> Reading:
        return read_all(redis, "test", START + second, tolerance=60)

    declared = read("every('10 seconds', 'tests.jobs.working.say', name='ten')")
    Watched(redis, declared, is_idle=True).turn(range(0, 95, 5))
    first, second, third = look(55), look(95), look(98)
    assert what(changes(first, second))[0] == "ten"
    assert changes(first, second).attention
    assert not changes(second, third)
    assert third.event("ten")["overdue"] > second.event("ten")["overdue"]


def test_a_new_schedule_adds_and_removes_events(
    look: Read, redis: Redis, read: ReadSchedule
) -> None:
    before = look(11)
    other = Watched(
        redis,
        read("every('day', 'tests.jobs.working.say', name='new', at='03:30')"),
        now=START + 12,
    )
    other.turn([12])
    changed = changes(before, look(13))
    assert (set(changed.removed), changed.status) == ({"ten", "daily"}, True)
    assert "new" in changed.events


def test_what_others_enqueue_changes_the_queues_alone(look: Read, redis: Redis) -> None:
    before = look(11)
    Queue("other", connection=redis).enqueue("tests.jobs.working.say")
    assert what(changes(before, look(11))) == ["queues"]
