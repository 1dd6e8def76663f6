"""Rows that people edit: put, removed, lost and written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

import clock
from clock import Schedule, keys, load
from clock.errors import RowChangedError, RowError, UnknownEventError, UnknownSourceError
from clock.jobs.editing import Editor
from clock.ledger.audit import read_audit
from tests.sources.version import APP, HEAD, START, Version, fired, jobs, row


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    """A schedule with rows that people edit, and an event of its own."""
    file = tmp_path / "schedule.py"
    file.write_text(
        f"{HEAD}from clock import stored\n"
        "every('day', 'tasks.y', name='of file')\n"
        "source('console', stored(), tasks=['tasks.*'], queues=['default', 'low'])\n"
    )
    return load(file)


@pytest.fixture
def version(redis: Redis, schedule: Schedule) -> Version:
    """Its clock, which has started."""
    version = Version(redis, schedule)
    version.run(0, 2)
    return version


def test_a_row_that_is_put_fires_and_one_that_is_removed_does_not(
    redis: Redis, version: Version
) -> None:
    event = clock.put(redis, row("a", args=[1]), app=APP, by="ada")
    assert (event.name, event.rule, event.source) == ("a", "10 seconds", "console")
    version.run(3, 20)
    assert fired(redis) == ["a+10", "a+20"]
    clock.put(redis, row("a", args=[2]), app=APP, by="ada")
    version.run(21, 30)
    assert [job.args for job in jobs(redis)] == [(1,), (1,), (2,)]
    clock.remove(redis, "a", app=APP, by="bob")
    # Before the clock knows it.
    version.tick(40)
    version.run(41, 60)
    assert fired(redis) == ["a+10", "a+20", "a+30"]


def test_a_row_has_a_version_and_who_changed_it(redis: Redis, version: Version) -> None:
    for number in range(3):
        clock.put(redis, row("a", args=[number]), app=APP, by=f"ada {number}")
    stored = clock.events(redis, app=APP)["a"]
    assert (stored.version, stored.by, stored.source) == (3, "ada 2", "console")
    assert stored.row == row("a", args=[2])
    entries = read_audit(redis, APP, 10).entries
    assert [(entry.what, entry.on, entry.actor.name) for entry in entries] == [
        ("put", "a", f"ada {number}") for number in (2, 1, 0)
    ]
    newest = entries[0]
    assert newest.before is not None
    assert newest.after is not None
    assert (newest.before["args"], newest.after["args"]) == ("[1]", "[2]")


def test_a_change_may_demand_the_version_that_it_has_seen(redis: Redis, version: Version) -> None:
    clock.put(redis, row("a"), app=APP, version=0)
    with pytest.raises(RowChangedError, match="'a' has version 1, not 0"):
        clock.put(redis, row("a", "day"), app=APP, version=0)
    with pytest.raises(RowChangedError):
        clock.remove(redis, "a", app=APP, version=2)
    clock.put(redis, row("a", "day"), app=APP, version=1)
    clock.remove(redis, "a", app=APP, version=2)
    assert clock.events(redis, app=APP) == {}


def test_a_pipeline_writes_nothing_before_it_is_executed(redis: Redis, version: Version) -> None:
    clock.put(redis, row("old"), app=APP)
    with redis.pipeline() as pipeline:
        clock.put(pipeline, row("a"), app=APP, by="ada")
        clock.remove(pipeline, "old", app=APP)
        assert list(clock.events(redis, app=APP)) == ["old"]
        assert len(read_audit(redis, APP, 10).entries) == 1
        pipeline.execute()
    assert list(clock.events(redis, app=APP)) == ["a"]
    assert len(read_audit(redis, APP, 10).entries) == 3
    version.run(3, 10)
    assert fired(redis) == ["a+10"]


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a period": (row("a", "dya"), "every", "'dya' is not a period"),
    "a forbidden task": (row("a", task="os.system"), "task", "'os.system' is not allowed"),
    "a forbidden queue": (row("a", queue="io"), "queue", "'io' is not allowed"),
    "a value that is not JSON": (row("a", args=[(1,)]), "args", "as JSON has them"),
    "the name of an event of the file": (row("of file"), "name", "is taken by"),
    "a past instant": (
        {"name": "a", "task": "tasks.x", "once": "2020-01-01T00:00"},
        "once",
        "is past",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_and_nothing_is_stored(
    mistake: str, redis: Redis, version: Version
) -> None:
    wrong, field, reason = MISTAKES[mistake]
    if mistake == "the name of an event of the file":
        _describe(redis, version)
    with pytest.raises(RowError, match=reason) as refused:
        clock.put(redis, wrong, app=APP)
    assert refused.value.field == field
    assert clock.events(redis, app=APP) == {}


def test_an_unknown_row_and_an_application_without_stored_rows(
    redis: Redis, version: Version
) -> None:
    with pytest.raises(UnknownEventError, match="no stored row is named 'a'"):
        clock.remove(redis, "a", app=APP)
    clock.put(redis, row("reports"), app=APP)
    with pytest.raises(UnknownEventError, match="did you mean 'reports'"):
        clock.remove(redis, "report", app=APP)
    with pytest.raises(UnknownSourceError, match=r"has a source that is stored\(\)"):
        clock.put(redis, row("a"), app="other")
    with pytest.raises(UnknownSourceError, match="they are console"):
        clock.put(redis, row("a"), app=APP, source="consol")


def test_a_single_occurrence_leaves_the_list_when_it_has_fired(
    redis: Redis, version: Version
) -> None:
    editor = Editor(redis, APP)
    words = {"name": "once", "once": "2027-01-15T08:00:23", "task": "tasks.x"}
    event = editor.check(words, None, START)
    editor.rows.put(editor.stored_row(words, event.source, "ada", START))
    version.run(3, 90)
    assert fired(redis) == ["once+23"]
    assert clock.events(redis, app=APP) == {}
    assert not redis.hexists(keys.rows(APP), "once")
    assert redis.hexists(keys.decided(APP), "once")


def test_rows_are_written_back_where_the_server_lost_its_data(
    redis: Redis, version: Version
) -> None:
    clock.put(redis, row("a"), app=APP, by="ada")
    clock.put(redis, row("b", "15 seconds"), app=APP, by="ada")
    version.run(3, 14)
    before = clock.events(redis, app=APP)
    redis.flushall()
    version.run(15, 30)
    assert clock.events(redis, app=APP) == before
    assert fired(redis) == ["b+15", "a+20", "a+30", "b+30"]


def test_stored_rows_have_no_ttl(redis: Redis, version: Version) -> None:
    clock.put(redis, row("a"), app=APP)
    version.run(3, 40)
    assert redis.ttl(keys.stored(APP)) == -1


def test_the_last_row_may_be_removed(redis: Redis, version: Version) -> None:
    clock.put(redis, row("a"), app=APP)
    version.run(3, 10)
    clock.remove(redis, "a", app=APP)
    version.run(11, 12)
    assert redis.hkeys(keys.rows(APP)) == []


def _describe(redis: Redis, version: Version) -> None:
    from clock.ledger.descriptions import describe

    events = list(version.schedule.events.values())
    list(describe(redis, APP, "schedule.py", events, START))
