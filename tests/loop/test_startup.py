"""The start: which events are enrolled first, and what happens between."""

from __future__ import annotations

import pytest
from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.errors import ServerError
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from clock.loop.due import TimetableRow
from clock.loop.loop import Loop
from clock.loop.startup import Startup
from clock.loop.timetable import Timetable
from clock.schedule.event import Event
from clock.stop import Stop
from tests.conftest import ReadSchedule

NOW = 1_800_000_000.0

LARGE = "random.randbytes(40_000).hex()"
"""An argument for which one call of the enrolment has room once, not twice."""


@pytest.fixture
def events(read: ReadSchedule) -> list[Event]:
    """Events that are enrolled one by one, those declared last due first; one is disabled."""
    lines = (
        "import random",
        f"every('day', 'tasks.x', at='11:00', args=[{LARGE}], name='off', enabled=False)",
        *(
            f"every('day', 'tasks.x', at='{hour}:00', args=[{LARGE}], name='{hour}')"
            for hour in range(12, 8, -1)
        ),
    )
    return list(read(*lines).events.values())


def test_events_are_enrolled_soonest_first_and_as_many_as_there_is_time_for(
    redis: Redis, events: list[Event]
) -> None:
    start = _start(redis, events)
    for names in (["9"], ["10", "9"], ["11", "10", "9"]):
        list(start.enrol(NOW, NOW, lambda: False))
        assert not start.is_enrolled
        # One more is under way.
        assert set(names) <= _enrolled(redis)
        assert "12" not in _enrolled(redis) or len(names) == 3
        assert "off" not in _enrolled(redis)
    found = list(start.enrol(NOW, NOW, lambda: True))
    assert found == [(0, int(NOW))]
    assert start.is_enrolled
    assert _enrolled(redis) == {"9", "10", "11", "12", "off"}


def test_a_server_that_goes_away_meanwhile_costs_what_was_not_enrolled_yet(
    redis: Redis, events: list[Event]
) -> None:
    start = _start(redis, events)
    parts = start.enrol(NOW, NOW, lambda: True)
    found = [next(parts)]
    redis.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(ServerError):
        found.extend(parts)
    assert 0 < len(found) < 4
    found += start.enrol(NOW, NOW, lambda: True)
    assert sorted(number for number, _ in found) == [0, 1, 2, 3]
    assert start.is_enrolled


def test_a_due_event_fires_before_the_others_are_enrolled(
    redis: Redis, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clock.loop.loop.SLICE", 0.0)
    wall = [NOW]
    loop = Loop(events, Ledger(redis, app="test", token="t"), Stop(), now=lambda: wall[0])
    assert loop.tick() == 0
    wall[0] = NOW + 3600
    assert loop.tick() == 0
    assert read_record(redis, "test", "9").counters["fired"] == 1
    assert len(_enrolled(redis)) < 5


def test_for_an_event_that_is_enrolled_late_the_catch_up_rule_holds(
    redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clock.loop.loop.SLICE", 0.0)
    events = list(
        read(
            "import random",
            *(f"every('10 seconds', 'tasks.x', name='{n}', args=[{LARGE}])" for n in range(7)),
        ).events.values()
    )
    wall = [NOW]
    loop = Loop(events, Ledger(redis, app="test", token="t"), Stop(), now=lambda: wall[0])
    for turn in range(7):
        wall[0] = NOW + 4 * turn
        loop.tick()
    counters = [read_record(redis, "test", name).counters for name in "06"]
    assert [(found["fired"], found["missed"]) for found in counters] == [(2, 0), (1, 1)]


def _start(redis: Redis, events: list[Event]) -> Startup:
    timetable = Timetable(
        [TimetableRow(recurrence=each.recurrence) for each in events if each.enabled]
    )
    return Startup(events, Ledger(redis, app="test", token="t"), timetable)


def _enrolled(redis: Redis) -> set[str]:
    return {as_text(name) for name in redis.hkeys(keys.decided("test"))}
