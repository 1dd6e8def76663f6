"""Two versions of a schedule file with sources alive at once: what ``docs/deploys.md`` states."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from clock.ledger.sources import read_refused
from tests.sources.version import Version, fired, jobs, row, schedule


def test_rows_of_a_source_in_both_versions_fire_once_each_time(
    redis: Redis, tmp_path: Path
) -> None:
    old, new = (
        Version(redis, schedule(tmp_path, lambda: [row("a")]), token) for token in ("old", "new")
    )
    _overlap(old, new, until=40)
    assert fired(redis) == ["a+10", "a+20", "a+30", "a+40"]


def test_rows_of_a_source_that_was_added_fire_from_the_start_of_the_new_version_on(
    redis: Redis, tmp_path: Path
) -> None:
    old = Version(redis, schedule(tmp_path, list, source=""), "old")
    new = Version(redis, schedule(tmp_path, lambda: [row("a")]), "new")
    _overlap(old, new, until=30)
    assert fired(redis) == ["a+20", "a+30"]


def test_rows_of_a_source_that_was_removed_fire_as_long_as_the_old_version_lives(
    redis: Redis, tmp_path: Path
) -> None:
    old = Version(redis, schedule(tmp_path, lambda: [row("a")]), "old")
    new = Version(redis, schedule(tmp_path, list, source=""), "new")
    _overlap(old, new, until=30)
    new.run(31, 50)
    assert fired(redis) == ["a+10", "a+20", "a+30"]


def test_rows_of_a_source_that_was_renamed_go_on(redis: Redis, tmp_path: Path) -> None:
    old = Version(redis, schedule(tmp_path, lambda: [row("a"), row("b", "7 seconds")]), "old")
    new = Version(
        redis, schedule(tmp_path, lambda: [row("a"), row("b", "7 seconds")], source="new"), "new"
    )
    _overlap(old, new, until=35)
    old.service.end()
    new.run(36, 50)
    assert fired(redis, "a") == ["a+10", "a+20", "a+30", "a+40", "a+50"]
    assert fired(redis, "b") == ["b+2", "b+9", "b+16", "b+23", "b+30", "b+37", "b+44"]
    assert read_refused(redis, "test") == {}


def test_changed_defaults_hold_for_rows_from_the_start_of_the_new_version(
    redis: Redis, tmp_path: Path
) -> None:
    old = Version(redis, schedule(tmp_path, lambda: [row("a")]), "old")
    new = Version(redis, schedule(tmp_path, lambda: [row("a")], "defaults(retry=3)"), "new")
    _overlap(old, new, until=30)
    assert [job.retries_left for job in jobs(redis)] == [None, 3, 3]


def test_the_allow_list_of_the_version_that_started_last_holds(
    redis: Redis, tmp_path: Path
) -> None:
    rows = [row("a"), row("b", task="old.x")]
    old = Version(redis, schedule(tmp_path, lambda: rows, tasks=["tasks.*", "old.*"]), "old")
    new = Version(redis, schedule(tmp_path, lambda: rows), "new")
    _overlap(old, new, until=30)
    assert fired(redis) == ["a+10", "b+10", "a+20", "a+30"]
    assert list(read_refused(redis, "test")) == ["b"]
    new.service.end()
    old.run(31, 50)
    assert fired(redis, "b") == ["b+10", "b+40", "b+50"]
    assert read_refused(redis, "test") == {}


@pytest.mark.parametrize("way", ["to the file", "to the source"])
def test_an_event_that_moved_between_a_source_and_the_file_fires_once_each_time(
    way: str, redis: Redis, tmp_path: Path
) -> None:
    with_row = schedule(tmp_path, lambda: [row("a"), row("b")])
    in_file = schedule(tmp_path, lambda: [row("b")], "every('10 seconds', 'tasks.x', name='a')")
    first, second = (with_row, in_file) if way == "to the file" else (in_file, with_row)
    old, new = Version(redis, first, "old"), Version(redis, second, "new")
    _overlap(old, new, until=30)
    old.service.end()
    new.run(31, 50)
    assert fired(redis, "a") == ["a+10", "a+20", "a+30", "a+40", "a+50"]
    assert fired(redis, "b") == ["b+10", "b+20", "b+30", "b+40", "b+50"]


def test_a_source_without_rows_of_its_own_leaves_those_of_the_file_alone(
    redis: Redis, tmp_path: Path
) -> None:
    in_both = schedule(tmp_path, lambda: [row("a")], "every('10 seconds', 'tasks.x', name='a')")
    clock = Version(redis, in_both, "one")
    clock.run(0, 20)
    assert fired(redis) == ["a+10", "a+20"]


def _overlap(old: Version, new: Version, until: int) -> None:
    """The old version lives from 0 to ``until``, the new one from 12 on."""
    for moment in range(until + 1):
        old.at(moment)
        if moment >= 12:
            new.at(moment)
