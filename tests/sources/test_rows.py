"""Which rows are in force: mistakes, names, allow-lists, and who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from clock import Schedule, keys, load
from clock.ledger.row_lines import RowLines
from clock.ledger.rows import NewRow
from clock.ledger.rows import Rows as RowsInForce
from clock.ledger.sources import RefusedRow, read_refused, read_sources
from clock.schedule.row import read_row
from tests.sources.version import APP, HEAD, START, Version, fired, row, schedule

BAD: dict[str, tuple[Any, str, str]] = {
    "not a row": (17, "", "must be a mapping"),
    "no name": ({"every": "day", "task": "tasks.x"}, "name", "a row needs 'name'"),
    "no task": ({"name": "bad", "every": "day"}, "task", "a row needs 'task'"),
    "no times": ({"name": "bad", "task": "tasks.x"}, "every", "either 'every' or 'once'"),
    "a misspelled period": (row("bad", "dya"), "every", "'dya' is not a period"),
    "a wrong time": (row("bad", "day", at="25:00"), "at", "25:00"),
    "an unknown zone": (row("bad", tz="Europe/Berlim"), "tz", "Europe/Berlin"),
    "an unknown word": (row("bad", quee="x"), "quee", "did you mean 'queue'?"),
    "a condition": (row("bad", if_=lambda _: True), "if_", "is code"),
    "a forbidden task": (row("bad") | {"task": "os.system"}, "task", "'os.system' is not allowed"),
    "a task of the clock": (row("bad") | {"task": "clock.load"}, "task", "is not allowed"),
    "a forbidden callback": (row("bad", on_failure="os.system"), "on_failure", "is not allowed"),
    "a forbidden queue": (row("bad", queue="mail"), "queue", "'mail' is not allowed here"),
    "a wrong option": (row("bad", retry=-1), "retry", "must be a number of retries"),
    "a name that is too long": (row("n" * 201), "name", "201 characters are too many"),
    "arguments that are none": (row("bad", args=7), "args", "must be a list or tuple"),
    "a wrong instant": (
        {"name": "bad", "once": "soon", "task": "tasks.x"},
        "once",
        "is not a time like",
    ),
    "an instant and a period": (
        row("bad", once="2027-01-04T09:00"),
        "every",
        "either 'every' or 'once'",
    ),
    "an instant and a day": (
        {"name": "bad", "once": "2027-01-04T09:00", "on": "monday", "task": "tasks.x"},
        "on",
        "does not go with once=",
    ),
    "a name given twice": (row("good", "day"), "name", "'good' is given twice"),
    "the name of an event of the file": (row("of file"), "name", "is taken by"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_row_is_left_out_alone_with_the_reason(
    mistake: str, redis: Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad, field, reason = BAD[mistake]
    given = [row("good"), bad, row("good too")]
    file = tmp_path / "schedule.py"
    file.write_text(
        f"{HEAD}every('10 seconds', 'tasks.y', name='of file')\n"
        "source('crawls', rows, every=10, tasks=['tasks.*'], queues=['default'])\n"
    )
    version = Version(redis, _load(file, lambda: given))
    version.run(0, 20)
    assert fired(redis) == [
        f"{name}+{at}" for at in (10, 20) for name in ("of file", "good", "good too")
    ]
    ((name, refused),) = read_refused(redis, APP).items()
    assert (refused.source, refused.field) == ("crawls", field)
    assert reason in refused.reason
    assert refused.since == START
    assert read_sources(redis, APP)["crawls"].refused == 1
    (line,) = [record for record in caplog.records if record.message == "row refused"]
    fields = vars(line)["fields"]
    assert fields == {"source": "crawls", "row": name, "reason": refused.reason}
    given[1] = row("mended")
    version.run(21, 30)
    assert read_refused(redis, APP) == {}


def test_a_row_that_becomes_bad_stops_and_goes_on_when_it_is_mended(
    redis: Redis, tmp_path: Path
) -> None:
    given = [row("a", "4 seconds"), row("b", "day")]
    version = Version(redis, schedule(tmp_path, lambda: list(given)))
    version.run(0, 9)
    given[0] = row("a", "4 secnds")
    version.run(10, 29)
    given[0] = row("a", "4 seconds")
    version.run(30, 32)
    assert fired(redis) == ["a+4", "a+8", "a+32"]


def test_a_name_belongs_to_the_source_that_gave_it_first(redis: Redis, tmp_path: Path) -> None:
    first, second = [row("a")], [row("a", "7 seconds"), row("b")]
    file = tmp_path / "schedule.py"
    file.write_text(
        f"{HEAD}given = rows\n"
        "source('one', lambda: given()[0], every=10, tasks=['tasks.*'])\n"
        "source('two', lambda: given()[1], every=10, tasks=['tasks.*'])\n"
    )
    version = Version(redis, _load(file, lambda: (first, second)))
    version.run(0, 20)
    refused = read_refused(redis, APP)
    assert len(refused) == 1
    (reason,) = [row.reason for row in refused.values()]
    assert reason in {f"the name 'a' is taken by the source {name!r}" for name in ("one", "two")}
    assert len(fired(redis, "a")) in {2, 3}
    assert fired(redis, "b") == ["b+10", "b+20"]


def test_defaults_and_zone_of_the_file_hold_for_rows(redis: Redis, tmp_path: Path) -> None:
    file = tmp_path / "schedule.py"
    file.write_text(
        "from clock import defaults, source, timezone\n"
        "timezone('Asia/Tokyo')\n"
        "defaults(queue='slow', retry=3, catch_up='all')\n"
        "source('crawls', rows, tasks=['tasks.*'])\n"
    )
    source = _load(file, list).sources["crawls"]
    event = read_row({"name": "a", "every": "day", "at": "09:00", "task": "tasks.x"}, source)
    assert event.zone.name == "Asia/Tokyo"
    assert event.job.queue == "slow"
    assert event.job.retry is not None
    assert event.policy.catch_up == 1000
    own = {"name": "a", "every": "day", "task": "tasks.x", "tz": "UTC", "queue": "quick"}
    assert read_row(own, source).zone.name == "UTC"
    assert read_row(own, source).job.queue == "quick"


def test_a_null_of_a_database_says_nothing(tmp_path: Path) -> None:
    source = schedule(tmp_path, list).sources["crawls"]
    words = dict.fromkeys(("at", "tz", "queue", "args", "timeout", "once", "start"))
    assert read_row({**row("a"), **words}, source) == read_row(row("a"), source)


def test_the_clock_that_started_last_asks_and_another_goes_on_when_it_is_gone(
    redis: Redis, tmp_path: Path
) -> None:
    asked: list[str] = []

    def version(token: str) -> Version:
        def ask() -> list[dict[str, Any]]:
            asked.append(token)
            return [row("a", args=[token])]

        return Version(redis, schedule(tmp_path, ask), token)

    old, new = version("old"), version("new")
    old.run(0, 12)
    for moment in range(13, 41):
        new.at(moment)
        old.at(moment)
    assert asked == ["old"] * 2 + ["new"] * 3
    new.service.end()
    old.run(41, 51)
    assert asked[5:] == ["old"] * 2
    new.at(52)
    assert asked[-1] == "new"


def test_a_clock_that_has_not_read_the_last_change_writes_none(
    redis: Redis, tmp_path: Path
) -> None:
    source = schedule(tmp_path, list).sources["crawls"]
    lines, rows = RowLines("pickle"), RowsInForce(redis, app=APP, serializer="pickle")
    event = read_row(row("a"), source)
    new = [NewRow(event, lines.body(event, "schedule.py"))]
    assert list(rows.write(0, new, {}, goes_on=10, now=START)) == [1]
    before = {key: redis.dump(key) for key in redis.scan_iter()}
    assert list(rows.write(0, [], {"a": True}, goes_on=10, now=START)) == [None]
    assert {key: redis.dump(key) for key in redis.scan_iter()} == before
    assert list(rows.write(1, [], {"a": True}, goes_on=10, now=START)) == [2]
    assert redis.hkeys(keys.rows(APP)) == []


def test_a_clock_far_behind_reads_all_rows(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CHANGES", 1)
    given = [row("a"), row("b")]
    one = Version(redis, schedule(tmp_path, lambda: list(given)), "one")
    two = Version(redis, schedule(tmp_path, lambda: list(given)), "two")
    one.at(0)
    two.at(1)
    two.service.end()
    one.service.step(0.0)
    for number, rows in enumerate(([row("a"), row("c")], [row("c"), row("d")])):
        given[:] = rows
        one.at(10 * (number + 1))
    two.at(25)
    two.tick(30)
    assert sorted(fired(redis)) == ["a+10", "c+20", "c+30", "d+30"]


def _load(file: Path, rows: Any) -> Schedule:
    vars(__import__("builtins"))["rows"] = rows
    try:
        return load(file)
    finally:
        del vars(__import__("builtins"))["rows"]


def test_kept_refusals_have_their_first_moment(redis: Redis, tmp_path: Path) -> None:
    version = Version(redis, schedule(tmp_path, lambda: [row("a", "dya")]))
    version.run(0, 35)
    other = Version(redis, schedule(tmp_path, lambda: [row("a", "dya")]), "other")
    other.run(36, 40)
    assert [refused.since for refused in read_refused(redis, APP).values()] == [START]
    assert isinstance(read_refused(redis, APP)["a"], RefusedRow)
