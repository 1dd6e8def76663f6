"""What the ledger says of events to readers who have no schedule file."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from clock import Schedule, keys
from clock.ledger.descriptions import Description, describe, read_descriptions
from clock.ledger.ledger import Ledger
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


def test_a_description_is_what_the_schedule_says(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "timezone('Asia/Tokyo')",
        "every('day', 'tasks.x', at='09:30', queue='io', timeout='5m', expires='1h', "
        "catch_up='all', within='2h', overlap='skip', if_=bool, tz='Europe/Berlin')",
    )
    description = _describe(redis, schedule)["tasks.x"]
    event = schedule.events["tasks.x"]
    assert description == Description(
        name="tasks.x", since=NOW, removed=None, task="tasks.x", rule="day at 09:30",
        sentence="every day at 09:30", zone=event.zone, queue="io", file=schedule.path,
        path=schedule.path, line=3, enabled=True, catch_up=1000, within=7200, overlap="skip",
        stuck_after=86_400, expires=3600, timeout=300, has_condition=True,
        recurrence=event.recurrence, is_published=False,
    )  # fmt: skip
    assert 0 < redis.ttl("clock:test:events") <= keys.TTL


def test_descriptions_come_in_the_order_of_the_file(redis: Redis, read: ReadSchedule) -> None:
    names = [f"n{(7 * number) % 40}" for number in range(40)]
    schedule = read(*(f"every('day', 'tasks.x', name={name!r})" for name in names))
    assert list(_describe(redis, schedule)) == names


def test_a_recurrence_that_cannot_be_encoded_is_described_by_a_sentence(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "from clock import times",
        "from datetime import datetime, UTC",
        "def moons(): yield datetime(2030, 1, 1, tzinfo=UTC)",
        "every(times(moons), 'tasks.x')",
    )
    description = _describe(redis, schedule)["tasks.x"]
    assert (description.recurrence, description.is_published) == (None, True)
    assert description.sentence == "at the instants of times moons()"


def test_a_restart_writes_nothing_and_since_stays(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("every('day', 'tasks.x')", "every('hour', 'tasks.y')")
    before = _describe(redis, schedule)
    redis.config_resetstat()
    assert _describe(redis, schedule, NOW + 100) == before
    assert "cmdstat_hset" not in redis.info("commandstats")


@pytest.mark.parametrize(
    ("line", "since"),
    [
        ("every('day', 'tasks.x', at='09:30')", NOW + 100),
        ("every('day', 'tasks.x', enabled=False)", NOW + 100),
        ("every('day', 'tasks.x', tz='Asia/Tokyo')", NOW + 100),
        ("every('day', 'tasks.x', queue='io')", NOW),
        ("every('day', 'tasks.x', at='00:00')", NOW),
    ],
)
def test_since_changes_with_the_times_alone(
    line: str, since: int, redis: Redis, read: ReadSchedule
) -> None:
    _describe(redis, read("every('day', 'tasks.x')"))
    assert _describe(redis, read(line), NOW + 100)["tasks.x"].since == since


def test_an_event_gone_from_its_file_is_marked_as_removed_and_no_other(
    redis: Redis, read: ReadSchedule
) -> None:
    other = Schedule(
        path="other.py", zone=read().zone, events=read("every('day', 'tasks.z')").events
    )
    _describe(redis, other)
    _describe(redis, read("every('day', 'tasks.x')", "every('day', 'tasks.y')"))
    for now in (NOW + 100, NOW + 200):
        descriptions = _describe(redis, read("every('day', 'tasks.y')"), now)
        assert {name: description.removed for name, description in descriptions.items()} == {
            "tasks.x": NOW + 100,
            "tasks.y": None,
            "tasks.z": None,
        }
    again = _describe(redis, read("every('day', 'tasks.x')"), NOW + 300)["tasks.x"]
    assert (again.removed, again.since) == (None, NOW + 300)


def test_a_description_has_nothing_of_the_arguments(redis: Redis, read: ReadSchedule) -> None:
    _describe(redis, read("every('day', 'tasks.x', args=['secret'], meta={'k': 'secret'})"))
    assert b"secret" not in redis.hget("clock:test:events", "tasks.x")  # type: ignore[operator]


def test_what_another_release_wrote_is_read_as_far_as_it_is_understood(
    redis: Redis, read: ReadSchedule
) -> None:
    _describe(redis, read("every('day', 'tasks.x')"))
    line = redis.hget("clock:test:events", "tasks.x")
    assert isinstance(line, bytes)
    strange = line.replace(b'"is":"EveryDays"', b'"is":"Moons"').replace(b"{", b'{"new":1,', 1)
    assert json.loads(strange.partition(b" ")[2])
    redis.hset("clock:test:events", "tasks.x", strange)
    description = read_descriptions(redis, "test")["tasks.x"]
    assert (description.recurrence, description.is_published, description.sentence) == (
        None,
        False,
        "day",
    )


def test_a_forgotten_event_loses_its_description(redis: Redis, read: ReadSchedule) -> None:
    both = read("every('day', 'tasks.x')", "every('day', 'tasks.y')")
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol(list(both.events.values()), NOW)
    _describe(redis, both)
    redis.hset("clock:test:instants", "tasks.x", "all")
    assert ledger.forget_removed({"tasks.y"}, NOW + keys.FORGOTTEN_AFTER + 1) == {"tasks.x": None}
    assert list(read_descriptions(redis, "test")) == ["tasks.y"]
    assert not redis.exists("clock:test:instants")


def test_thousands_of_events_take_a_constant_number_of_commands(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("for i in range(1200): every('day', 'tasks.x', name=f'n{i}', spread='1h')")
    redis.config_resetstat()
    assert len(_describe(redis, schedule)) == 1200
    calls = {name: stats["calls"] for name, stats in redis.info("commandstats").items()}
    assert (calls["cmdstat_hmget"], calls["cmdstat_hset"]) == (3, 3)


def _describe(redis: Redis, schedule: Schedule, now: int = NOW) -> dict[str, Description]:
    list(describe(redis, "test", schedule.path, list(schedule.events.values()), now))
    return read_descriptions(redis, "test")
