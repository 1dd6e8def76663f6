"""``clock audit``, what commands record there, and ``clock web --hash``."""

from __future__ import annotations

import getpass
import io
import json
import socket
from typing import Any

import pytest
from redis import Redis

from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry, Outcome
from clock.ledger.ledger import Ledger
from clock.web.password_hash import is_password
from tests.cli.command import Clock
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


@pytest.fixture
def url(redis: Redis, server_url: str, read: ReadSchedule) -> str:
    """A server on which a clock of the application ``clock`` knows the event ``tasks.x``."""
    event = read("every('day', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="clock", token="t").enrol([event], NOW)
    return server_url


def _entries(clock: Clock, url: str) -> list[dict[str, Any]]:
    """What ``clock audit --json`` prints, the oldest entry first."""
    code, out, err = clock("audit", "--json", "--url", url)
    assert (code, err) == (0, "")
    return [json.loads(line) for line in reversed(out.splitlines())]


def test_commands_record_user_and_host(clock: Clock, url: str) -> None:
    assert clock("audit", "--url", url) == (0, "nobody did anything yet\n", "")
    for words in (
        ("run", "tasks.x"),
        ("pause", "tasks.x", "--reason", "moving"),
        ("resume", "tasks.x"),
        ("restore", "2026-11-21T18:00Z"),
    ):
        assert clock(*words, "--url", url)[0] == 0
    entries = _entries(clock, url)
    host = socket.gethostname()
    assert {(entry["by"], entry["how"], entry["source"]) for entry in entries} == {
        (f"{getpass.getuser()}@{host}", "shell", host)
    }
    assert [(entry["what"], entry["on"], entry["outcome"]) for entry in entries] == [
        ("run", "tasks.x", "done"),
        ("pause", "tasks.x", "done"),
        ("resume", "tasks.x", "done"),
        ("restore", "2026-11-21T18:00:00Z", "done"),
    ]
    _, paused, resumed, _ = entries
    assert paused["before"] is None
    assert paused["after"]["reason"] == "moving"
    assert resumed["before"] == paused["after"]


def test_a_command_that_fails_is_recorded_with_the_reason(
    clock: Clock, url: str, redis: Redis
) -> None:
    redis.set("rq:queue:default", "another type")
    assert clock("run", "tasks.x", "--url", url)[0] == 3
    (entry,) = _entries(clock, url)
    assert (entry["what"], entry["on"], entry["outcome"]) == ("run", "tasks.x", "failed")
    assert "holds no queue" in entry["reason"]


def test_a_command_works_and_warns_where_nothing_can_be_recorded(
    clock: Clock, url: str, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.set("clock:clock:audit", "another type")
    assert clock("pause", "tasks.x", "--url", url)[0] == 0
    # Whether the entry's own line is logged too is for the level that other tests have left.
    (line,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert line.startswith("audit entry not written what=pause on=tasks.x error=")


def test_the_table_shows_no_control_characters(clock: Clock, url: str, redis: Redis) -> None:
    actor = Actor(name="\x1b[31mann", how="page", source="10.1.2.3\n")
    for outcome, reason in ((Outcome.DONE, ""), (Outcome.REFUSED, "may only read")):
        write_entry(
            redis,
            "clock",
            Entry(at=NOW, actor=actor, what="run", on="x", outcome=outcome, reason=reason),
        )
    code, out, _ = clock("audit", "--url", url)
    assert code == 0
    head, *lines = out.splitlines()
    assert head.split() == ["WHEN", "WHO", "FROM", "HOW", "WHAT", "ON", "OUTCOME"]
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.endswith("refused: may only read")]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore"])
def test_web_hash_prints_the_hash_of_the_password_on_stdin(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"secret word{end}"))
    code, out, err = clock("web", "--hash")
    assert (code, err) == (0, "")
    assert is_password("secret word", out.strip())
    assert "secret" not in out


def test_web_hash_refuses_a_short_password(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert clock("web", "--hash") == (
        2,
        "",
        "clock: a password must have at least 8 characters\n",
    )
