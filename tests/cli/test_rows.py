"""``clock put``, ``remove`` and ``export``: rows from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from redis import Redis

from clock import events, load
from clock.ledger.audit import read_audit
from clock.ledger.sources import SourceState, write_source
from clock.schedule.row import WORDS
from tests.cli.command import Clock

DAILY = ("--every", "day", "--at", "09:30", "--tz", "Asia/Tokyo", "--task", "tasks.reports.daily")


@pytest.fixture
def url(redis: Redis, server_url: str) -> str:
    """A server on which a clock has a source of stored rows."""
    state = SourceState(
        name="console",
        file="schedule.py",
        path="schedule.py",
        line=3,
        every=30,
        is_stored=True,
        tasks=("tasks.*",),
        queues=("default", "low"),
        zone="Europe/Berlin",
        defaults={"queue": "low", "expires": None, "timeout": None, "job": {}},
    )
    write_source(redis, "clock", state)
    return server_url


def test_put_says_when_the_event_fires_and_stores_its_words(
    clock: Clock, url: str, redis: Redis
) -> None:
    words = ("--args", "[1]", "--at", "18:00", "--retry", "3", "--enabled", "true")
    code, out, err = clock("put", "reports", *DAILY, *words, "--url", url)
    assert (code, err) == (0, "")
    head, *times = out.splitlines()
    assert head == "reports: every day at 09:30 and 18:00, zone Asia/Tokyo, queue low"
    assert len(times) == 5
    assert all(line.endswith(("09:30:00 +0900", "18:00:00 +0900")) for line in times)
    stored = events(redis)["reports"]
    assert stored.row == {
        "name": "reports",
        "every": "day",
        "at": ["09:30", "18:00"],
        "tz": "Asia/Tokyo",
        "task": "tasks.reports.daily",
        "args": [1],
        "retry": 3,
        "enabled": True,
    }
    (entry,) = read_audit(redis, "clock", 10).entries
    assert (entry.what, entry.on, entry.actor.how) == ("put", "reports", "shell")
    assert "@" in stored.by


def test_put_marks_a_time_at_a_clock_change(clock: Clock, url: str) -> None:
    words = ("--once", "2037-03-29T02:30", "--task", "tasks.x")
    _, out, _ = clock("put", "once", *words, "--url", url)
    assert out.splitlines()[1] == "  Sun 2037-03-29 03:00:00 +0200  its local time is skipped"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--every", "dya", "--task", "tasks.x"), "'dya' is not a period"),
        (("--every", "day", "--task", "os.system"), "'os.system' is not allowed here"),
        (("--every", "day"), "a row needs 'task'"),
        (("--every", "day", "--task", "tasks.x", "--args", "[1"), "is not JSON"),
        (("--every", "day", "--task", "tasks.x", "--source", "x"), "no source named 'x'"),
    ],
)
def test_put_refuses_a_mistake(
    words: tuple[str, ...], message: str, clock: Clock, url: str, redis: Redis
) -> None:
    code, out, err = clock("put", "a", *words, "--url", url)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert events(redis) == {}


def test_put_takes_all_rows_of_a_file_or_none(
    clock: Clock, url: str, redis: Redis, tmp_path: Path
) -> None:
    file = tmp_path / "rows.json"
    good = {"name": "a", "every": "day", "task": "tasks.x"}
    file.write_text(json.dumps([good, {"name": "b", "every": "dya", "task": "tasks.x"}]))
    code, _, err = clock("put", "--file", str(file), "--url", url)
    assert code == 2
    assert err.startswith("clock: row 'b': 'dya' is not a period")
    assert events(redis) == {}
    file.write_text(json.dumps([good, {**good, "name": "b"}]))
    assert clock("put", "--file", str(file), "--url", url)[0] == 0
    assert set(events(redis)) == {"a", "b"}


def test_remove_says_so_and_knows_no_other_row(clock: Clock, url: str, redis: Redis) -> None:
    clock("put", "reports", *DAILY, "--url", url)
    assert clock("remove", "reports", "--url", url) == (0, "reports is removed\n", "")
    assert events(redis) == {}
    code, _, err = clock("remove", "reports", "--url", url)
    assert (code, err) == (2, "clock: no stored row is named 'reports'\n")


def test_export_is_a_schedule_file_or_what_put_takes(
    clock: Clock, url: str, redis: Redis, tmp_path: Path
) -> None:
    clock("put", "reports", *DAILY, "--args", '["ü"]', "--url", url)
    once = ("--once", "2037-03-01T09:00", "--task", "tasks.mail.remind")
    clock("put", "reminder", *once, "--url", url)
    file = tmp_path / "console.py"
    file.write_text(clock("export", "--url", url)[1])
    exported = load(file).events
    assert exported["reports"].args == ("ü",)
    assert exported["reports"].zone.name == "Asia/Tokyo"
    assert exported["reminder"].zone.name == "Europe/Berlin"
    # 09:00 in Berlin, in winter.
    assert exported["reminder"].recurrence.next(0) == 2_119_507_200
    before = events(redis)
    rows = tmp_path / "rows.json"
    rows.write_text(clock("export", "--as", "json", "--url", url)[1])
    for name in before:
        clock("remove", name, "--url", url)
    assert clock("put", "--file", str(rows), "--url", url)[0] == 0
    assert {name: row.row for name, row in events(redis).items()} == {
        name: row.row for name, row in before.items()
    }


def test_put_has_an_option_for_every_word_of_a_row(clock: Clock) -> None:
    _, out, _ = clock("put", "--help")
    for word in set(WORDS) - {"name", "except_"}:
        assert f"--{word.replace('_', '-')} " in out
