"""How sources and their rows are shown to readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from clock import Schedule, keys
from clock.cli.status import exit_code
from clock.loop.housekeeping import Housekeeping
from clock.observe.attention import AttentionKind
from clock.observe.objects import event_object, status_object
from clock.observe.reading import read_attention, read_event, read_status
from clock.observe.state import State
from clock.observe.status import AppStatus
from tests.sources.version import APP, START, Version, row, schedule


class Watched:
    """A clock with its housekeeping."""

    def __init__(self, redis: Redis, schedule: Schedule, token: str) -> None:
        self.version = Version(redis, schedule, token)
        self._housekeeping = Housekeeping(
            redis, schedule, app=APP, token=f"host:1:{token}", serializer="pickle"
        )

    def run(self, first: int, last: int) -> None:
        """A turn each second."""
        for moment in range(first, last + 1):
            self.version.at(moment)
            self._housekeeping.run(START + moment)


def _status(redis: Redis, moment: float) -> AppStatus:
    return read_status(redis, APP, START + moment)


def test_rows_are_events_and_refused_ones_say_why(redis: Redis, tmp_path: Path) -> None:
    given = [row("a", tz="Asia/Tokyo"), row("bad", "dya"), row("off", enabled=False)]
    file = schedule(tmp_path, lambda: given, "every('day', 'tasks.y', name='file')")
    Watched(redis, file, "one").run(0, 12)
    status = _status(redis, 12)
    assert {event.name: event.state for event in status.events} == {
        "a": State.ON_TIME,
        "bad": State.REFUSED,
        "off": State.DISABLED,
        "file": State.NEVER_RUN,
    }
    a = event_object(status.event("a"))
    assert (a["every"], a["tz"], a["next"]) == ("10 seconds", "Asia/Tokyo", "2027-01-15T08:00:20Z")
    assert status.event("a").description.source == "crawls"
    assert status.is_healthy
    (item,) = [item for item in read_attention(redis, status) if item.kind is AttentionKind.REFUSED]
    assert (item.name, item.since) == ("bad", START)
    assert item.line.startswith("a row of crawls: 'dya' is not a period")
    assert read_event(redis, APP, "bad", START + 12).event.state is State.REFUSED
    assert read_event(redis, APP, "a", START + 12).event.state is State.ON_TIME


def test_a_failing_source_is_an_error_of_the_status(redis: Redis, tmp_path: Path) -> None:
    is_broken = False

    def ask() -> list[dict[str, object]]:
        if is_broken:
            raise ConnectionError("no database")
        return [row("a")]

    clock = Watched(redis, schedule(tmp_path, ask), "one")
    clock.run(0, 9)
    assert exit_code(_status(redis, 9)) == 0
    is_broken = True
    clock.run(10, 12)
    status = _status(redis, 12)
    assert exit_code(status) == 7
    (source,) = status_object(status)["sources"]
    assert source["source"] == "crawls"
    assert source["failing_since"] == "2027-01-15T08:00:10.000Z"
    assert source["error"] == "it raised ConnectionError: no database"
    is_broken = False
    clock.run(13, 20)
    assert exit_code(_status(redis, 20)) == 0


def test_rows_of_a_source_that_no_live_clock_declares_are_removed(
    redis: Redis, tmp_path: Path
) -> None:
    Watched(redis, schedule(tmp_path, lambda: [row("a")]), "old").run(0, 5)
    assert [event.name for event in _status(redis, 5).events] == ["a"]
    new = Watched(redis, schedule(tmp_path, list, "every('day', 'tasks.x')", source=""), "new")
    new.run(30, 31)
    status = _status(redis, 31)
    assert [event.name for event in status.events] == ["tasks.x"]
    assert [event.name for event in status.removed] == ["a"]
    assert status.sources == ()


@pytest.mark.parametrize("key", ["rows", "refused_rows", "sources"])
def test_what_is_damaged_is_skipped(key: str, redis: Redis, tmp_path: Path) -> None:
    Watched(redis, schedule(tmp_path, lambda: [row("a"), row("bad", "dya")]), "one").run(0, 2)
    name = getattr(keys, key)(APP)
    for value in ("", "[]", "7 {}", '{"source": 1}', "\ud800".encode(errors="surrogatepass")):
        redis.hset(name, "damaged", value)
        status = _status(redis, 2)
        assert len(status.unreadable) == 1
        assert len(status.events) == 2
    redis.delete(name)
    redis.set(name, "x")
    assert len(_status(redis, 2).unreadable) == 1
