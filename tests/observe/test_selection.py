"""Events searched, filtered and sorted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import Redis

from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause
from clock.observe.reading import read_recent, read_status
from clock.observe.selection import ORDERS, Selection, count_states
from clock.observe.state import State
from clock.observe.status import AppStatus
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

EVENTS = (
    "every('10 seconds', 'tasks.ping', name='b')",
    "every('10 seconds', 'tasks.feeds', name='A', queue='io')",
    "every('day', 'tasks.daily', name='c', at='02:30', tz='Europe/Berlin')",
    "every('hour', 'tasks.off', name='d', enabled=False)",
)


@pytest.fixture
def status(redis: Redis, read: ReadSchedule) -> AppStatus:
    """Four events; the last run of A failed, c is paused and was never due, d is disabled."""
    Watched(redis, read(*EVENTS)).turn(range(25))
    write_run(redis, "test", _run("A"))
    pause(redis, "test", "c", Pause(until=None, reason="The Move", by="jo", since=int(START)))
    return read_status(redis, "test", START + 25)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(words="PING 10"), ["b"]),
        (Selection(words="ping berlin"), []),
        (Selection(words="valueerror"), ["A"]),
        (Selection(words="the move"), ["c"]),
        (Selection(words="jo"), ["c"]),
        (Selection(queue="io"), ["A"]),
        (Selection(state=State.DISABLED), ["d"]),
        (Selection(), ["A", "c", "b", "d"]),
        (Selection(descending=True), ["d", "b", "c", "A"]),
        (Selection(sort="name"), ["A", "b", "c", "d"]),
        (Selection(sort="next"), ["A", "b", "c", "d"]),
        (Selection(sort="next", descending=True), ["c", "A", "b", "d"]),
        (Selection(sort="outcome", descending=True), ["A", "b", "c", "d"]),
    ],
    ids=str,
)
def test_events_are_selected_and_sorted(
    status: AppStatus, selection: Selection, expected: list[str]
) -> None:
    chosen = selection.of_state(selection.matching(status), status)
    assert [event.name for event in chosen] == expected


@pytest.mark.parametrize("sort", ORDERS)
def test_events_without_a_value_come_last_in_either_order(status: AppStatus, sort: str) -> None:
    for descending in (False, True):
        selection = Selection(sort=sort, descending=descending)
        names = [event.name for event in selection.of_state(status.events, status)]
        assert sorted(names) == ["A", "b", "c", "d"]
        if sort in {"next", "last"}:
            assert names[-1] == "d"


def test_the_states_are_counted_by_urgency(status: AppStatus) -> None:
    assert count_states(status.events) == [
        (State.FAILING, 1),
        (State.PAUSED, 1),
        (State.ON_TIME, 1),
        (State.DISABLED, 1),
    ]


def test_an_event_that_was_only_run_by_hand_has_a_last_time(
    status: AppStatus, redis: Redis
) -> None:
    run_now(redis, "test", "c", START + 20)
    later = read_status(redis, "test", START + 25)
    by_last = Selection(sort="last", descending=True)
    assert [event.name for event in by_last.of_state(later.events, later)] == ["A", "b", "c", "d"]
    assert ORDERS["last"](later.event("c"), None) == START + 20


def test_of_some_events_more_is_read_in_one_round_trip(status: AppStatus, redis: Redis) -> None:
    for attempt in range(3):
        write_run(redis, "test", replace(_run("A"), attempt=attempt + 2))
    events, runs = read_recent(redis, "test", [status.event("A"), status.event("c")], 24)
    assert events[0].record is not None
    assert len(events[0].record.history) == 2
    assert runs["A"].newest.attempt == 4
    assert set(runs) == {"A"}
    assert read_recent(redis, "test", [], 24) == ([], {})


def _run(event: str) -> Run:
    return Run(
        event=event,
        scheduled=int(START) + 20,
        enqueued=START + 20,
        started=START + 20.1,
        ended=START + 20.3,
        outcome=RunOutcome.FAILED,
        error="ValueError",
        attempt=1,
        worker="w",
        job="j",
    )
