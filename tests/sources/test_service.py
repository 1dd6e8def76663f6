"""Rows of a source while the clock runs, turn by turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from clock import keys
from clock.ledger.records import read_record
from clock.ledger.sources import read_refused, read_sources
from tests.sources.version import APP, START, Rows, Version, fired, jobs, row, schedule


@pytest.fixture
def rows() -> Rows:
    """What the source gives; a test changes it."""
    return [row("a"), row("b", "15 seconds")]


@pytest.fixture
def clock(redis: Redis, tmp_path: Path, rows: Rows) -> Version:
    """A clock whose source gives ``rows`` and is asked every ten seconds."""
    return Version(redis, schedule(tmp_path, lambda: list(rows)))


def test_rows_fire_like_events_of_a_file(redis: Redis, clock: Version) -> None:
    clock.run(0, 30)
    assert fired(redis) == ["a+10", "b+15", "a+20", "a+30", "b+30"]


def test_two_clocks_fire_each_occurrence_once(redis: Redis, tmp_path: Path, rows: Rows) -> None:
    one, two = (
        Version(redis, schedule(tmp_path, lambda: list(rows)), token) for token in ("one", "two")
    )
    for moment in range(31):
        one.at(moment)
        two.at(moment)
    assert fired(redis) == ["a+10", "b+15", "a+20", "a+30", "b+30"]


def test_a_new_row_starts_from_the_moment_its_source_gave_it(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 9)
    rows.append(row("c", "5 seconds", catch_up="all"))
    clock.run(10, 20)
    assert fired(redis, "c") == ["c+15", "c+20"]


def test_a_removed_row_stops_at_once_on_a_clock_that_does_not_know_it_yet(
    redis: Redis, tmp_path: Path, rows: Rows
) -> None:
    one, two = (
        Version(redis, schedule(tmp_path, lambda: list(rows)), token) for token in ("one", "two")
    )
    for moment in range(11):
        one.at(moment)
        two.at(moment)
    del rows[0]
    two.follow(20)
    one.tick(20)
    one.tick(30)
    assert fired(redis) == ["a+10", "b+15", "b+30"]


def test_a_row_that_comes_back_within_one_question_goes_on(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    rows[0] = row("a", "4 seconds", catch_up="all")
    clock.run(0, 9)
    (gone,) = rows[:1]
    del rows[0]
    clock.run(10, 19)
    rows.insert(0, gone)
    clock.run(20, 24)
    assert fired(redis, "a") == ["a+4", "a+8", "a+12", "a+16", "a+20", "a+24"]


def test_a_row_that_comes_back_later_starts_from_then(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    rows[0] = row("a", "4 seconds", catch_up="all")
    clock.run(0, 9)
    (gone,) = rows[:1]
    del rows[0]
    clock.run(10, 29)
    rows.insert(0, gone)
    clock.run(30, 36)
    assert fired(redis, "a") == ["a+4", "a+8", "a+32", "a+36"]


def test_a_changed_recurrence_starts_from_the_change(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    rows[0] = row("a", "6 seconds", catch_up="all")
    clock.run(0, 12)
    rows[0] = row("a", "7 seconds", catch_up="all")
    clock.run(13, 37)
    # Asked at 20. Periods are counted from 1970, and START is two seconds before one of 7.
    assert fired(redis, "a") == ["a+6", "a+12", "a+18", "a+23", "a+30", "a+37"]


def test_changed_arguments_change_nothing_about_time(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 10)
    rows[0] = row("a", args=[{"deep": [1, None, 2.5]}], kwargs={"word": "ü"}, queue="default")
    clock.at(20)
    clock.at(33)
    assert fired(redis, "a") == ["a+10", "a+20", "a+30"]
    arguments = [job.args for job in jobs(redis) if job.meta["clock"]["event"] == "a"]
    assert arguments == [(), ({"deep": [1, None, 2.5]},), ({"deep": [1, None, 2.5]},)]


def test_a_row_may_hold_python_values(redis: Redis, tmp_path: Path) -> None:
    given = [row("a", args=[date(2027, 1, 4)], start=date(2020, 1, 1), retry={"max": 2})]
    Version(redis, schedule(tmp_path, lambda: given)).run(0, 9)
    # Another clock knows the row from the ledger alone.
    other = Version(redis, schedule(tmp_path, _raise), "other")
    other.at(9)
    redis.delete(keys.templates(APP))
    other.run(10, 11)
    (job,) = jobs(redis)
    assert job.args == (date(2027, 1, 4),)
    assert job.retries_left == 2


def test_rows_that_nobody_changed_are_not_written_again(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 10)
    before = redis.xlen(keys.row_changes(APP)), redis.hgetall(keys.rows(APP))
    rows.reverse()
    clock.run(11, 40)
    assert (redis.xlen(keys.row_changes(APP)), redis.hgetall(keys.rows(APP))) == before


@pytest.mark.parametrize("gives", ["nothing", "half"])
def test_the_rows_of_a_source_that_raises_stay_in_force_also_after_a_restart(
    gives: str, redis: Redis, tmp_path: Path, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    is_broken = False

    def ask() -> Iterator[dict[str, Any]]:
        if is_broken and gives == "nothing":
            raise ConnectionError("no database")
        yield rows[0]
        if is_broken:
            raise ConnectionError("no database")
        yield rows[1]

    version = Version(redis, schedule(tmp_path, ask))
    version.run(0, 9)
    is_broken = True
    version.run(10, 30)
    state = read_sources(redis, APP)["crawls"]
    assert state.failing_since == START + 10
    assert state.error == "it raised ConnectionError: no database"
    restarted = Version(redis, schedule(tmp_path, ask), "restarted")
    restarted.run(31, 45)
    assert fired(redis) == ["a+10", "b+15", "a+20", "a+30", "b+30", "a+40", "b+45"]
    assert read_sources(redis, APP)["crawls"].failing_since == START + 10
    is_broken = False
    restarted.run(46, 52)
    assert read_sources(redis, APP)["crawls"].failing_since is None
    logged = [record.message for record in caplog.records if "source " in record.message]
    # Once by each of the clocks.
    assert logged == ["source failing", "source failing", "source back"]


def test_a_source_that_hangs_holds_up_nothing_and_is_asked_again_when_it_answered(
    redis: Redis, tmp_path: Path, rows: Rows
) -> None:
    release, asked = threading.Event(), list[int]()

    def ask() -> Rows:
        asked.append(1)
        if len(asked) == 2:
            release.wait(20)
            return []
        return list(rows)

    version = Version(redis, schedule(tmp_path, ask), timeout=5)
    version.run(0, 9)
    version.run(10, 30, waits=False)
    assert fired(redis) == ["a+10", "b+15", "a+20", "a+30", "b+30"]
    state = read_sources(redis, APP)["crawls"]
    assert state.error == "it has not answered in 5 s"
    assert state.failing_since == START + 16
    assert len(asked) == 2
    release.set()
    thread = next(t for t in threading.enumerate() if t.name.startswith("clock: source"))
    while not version.service._threads._answers:
        thread.join(0.01)
    version.run(31, 40)
    assert len(asked) > 2
    assert read_sources(redis, APP)["crawls"].failing_since is None
    # What came too late, no rows, was not taken for an answer.
    assert fired(redis, "a")[-1] == "a+40"


def test_a_source_without_rows_is_believed_the_second_time(
    redis: Redis, clock: Version, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    clock.run(0, 9)
    rows.clear()
    clock.run(10, 19)
    clock.run(20, 40)
    assert fired(redis) == ["a+10", "b+15"]
    (line,) = [record for record in caplog.records if record.message == "source is empty"]
    assert vars(line)["fields"]["rows"] == 2


def test_a_source_that_was_empty_once_goes_on_as_if_it_had_not_been(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    kept = list(rows)
    clock.run(0, 9)
    rows.clear()
    clock.run(10, 19)
    rows += kept
    clock.run(20, 29)
    rows.clear()
    clock.run(30, 30)
    assert fired(redis) == ["a+10", "b+15", "a+20", "a+30", "b+30"]


def test_more_rows_than_it_may_give_are_no_answer(redis: Redis, tmp_path: Path, rows: Rows) -> None:
    version = Version(redis, schedule(tmp_path, lambda: list(rows)))
    version.run(0, 9)
    rows += [row(f"more {number}") for number in range(10_000)]
    version.run(10, 12)
    assert "more than 10000 rows" in read_sources(redis, APP)["crawls"].error
    assert fired(redis) == ["a+10"]


def test_a_single_occurrence_fires_once_and_is_gone(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    # START is 2027-01-15T08:00:00Z.
    rows.append({"name": "once", "once": "2027-01-15T08:00:23", "task": "tasks.x"})
    clock.run(0, 45)
    assert fired(redis, "once") == ["once+23"]
    assert not redis.hexists(keys.rows(APP), "once")
    assert read_record(redis, APP, "once").counters["fired"] == 1
    assert read_refused(redis, APP) == {}


def test_a_single_occurrence_that_no_clock_could_claim_is_caught_up(
    redis: Redis, tmp_path: Path
) -> None:
    given = [{"name": "once", "once": "2027-01-15T08:00:23", "task": "tasks.x"}]
    Version(redis, schedule(tmp_path, lambda: given)).run(0, 5)
    Version(redis, schedule(tmp_path, lambda: given), "later").run(60, 75)
    assert fired(redis) == ["once+23"]
    assert not redis.hexists(keys.rows(APP), "once")


def test_a_disabled_row_does_not_fire(redis: Redis, clock: Version, rows: Rows) -> None:
    clock.run(0, 10)
    rows[0] = row("a", enabled=False)
    clock.run(11, 30)
    rows[0] = row("a")
    clock.run(31, 50)
    assert fired(redis, "a") == ["a+10", "a+50"]


def test_what_was_decided_of_a_removed_row_is_forgotten_after_35_days(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 10)
    del rows[0]
    clock.at(20)
    hashes = [of(APP) for of in keys.OF_EVENTS]
    clock.at(keys.REMOVED_TTL)
    assert redis.hexists(keys.decided(APP), "a")
    clock.at(keys.REMOVED_TTL + 3660)
    assert not any(redis.hexists(key, "a") for key in (*hashes, keys.removed_rows(APP)))
    assert redis.hexists(keys.decided(APP), "b")


def test_every_key_of_a_source_expires(redis: Redis, clock: Version, rows: Rows) -> None:
    rows += [row("bad", "dya")]
    clock.run(0, 10)
    del rows[0]
    clock.run(11, 20)
    of = ("rows", "removed_rows", "row_changes", "refused_rows", "sources")
    names = [getattr(keys, name)(APP) for name in of] + [keys.asker(APP, "crawls")]
    assert all(redis.ttl(name) > 0 for name in names)


def test_rows_go_on_where_the_server_lost_its_data_and_are_written_again(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 14)
    redis.flushall()
    clock.run(15, 30)
    assert fired(redis) == ["b+15", "a+20", "a+30", "b+30"]
    assert sorted(redis.hkeys(keys.rows(APP))) == [b"a", b"b"]


def test_a_row_that_ended_while_the_server_had_no_data_is_removed(
    redis: Redis, clock: Version, rows: Rows
) -> None:
    clock.run(0, 14)
    redis.flushall()
    clock.run(15, 16)
    del rows[0]
    clock.run(17, 40)
    assert fired(redis, "a") == []


def _raise() -> Rows:
    raise ConnectionError("no database")
