"""``clock diff``: the occurrences that a new schedule adds, drops or moves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import Clock

SPAN = ("--from", "2026-11-21T00:00Z", "--until", "2026-11-23T00:00Z")


@pytest.fixture
def old(tmp_path: Path) -> str:
    return _write(tmp_path / "old.py", ("a", "09:00"), ("b", "12:00"), ("c", "15:00"))


@pytest.fixture
def new(tmp_path: Path) -> str:
    return _write(tmp_path / "new.py", ("a", "09:00"), ("b", "12:30"), ("d", "18:00"))


def test_no_difference_is_exit_code_0(clock: Clock, old: str) -> None:
    assert clock("diff", old, old, *SPAN) == (0, "no occurrence differs\n", "")


def test_the_table_shows_what_is_added_dropped_and_moved(clock: Clock, old: str, new: str) -> None:
    code, out, err = clock("diff", old, new, *SPAN)
    assert (code, err) == (5, "")
    assert out.splitlines() == [
        "EVENT  CHANGE   OLD                            NEW",
        "b      moved    Sat 2026-11-21 12:00:00 +0000  Sat 2026-11-21 12:30:00 +0000",
        "b      moved    Sun 2026-11-22 12:00:00 +0000  Sun 2026-11-22 12:30:00 +0000",
        "d      added                                   Sat 2026-11-21 18:00:00 +0000",
        "d      added                                   Sun 2026-11-22 18:00:00 +0000",
        "c      dropped  Sat 2026-11-21 15:00:00 +0000",
        "c      dropped  Sun 2026-11-22 15:00:00 +0000",
    ]


def test_json_is_one_object_an_event_that_differs(clock: Clock, old: str, new: str) -> None:
    code, out, _ = clock("diff", old, new, *SPAN, "--json")
    moved, added, dropped = map(json.loads, out.splitlines())
    assert code == 5
    assert moved["moved"] == [
        ["2026-11-21T12:00:00Z", "2026-11-21T12:30:00Z"],
        ["2026-11-22T12:00:00Z", "2026-11-22T12:30:00Z"],
    ]
    assert (added["event"], len(added["added"]), added["dropped"]) == ("d", 2, [])
    assert (dropped["event"], len(dropped["dropped"]), dropped["added"]) == ("c", 2, [])


def test_an_old_revision_is_compared_with_a_file(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    _write(tmp_path / "schedule.py", ("a", "09:00"))
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "First")):
        subprocess.run(["git", *identity, *words], check=True, timeout=60)  # noqa: S607
    _write(tmp_path / "schedule.py", ("a", "10:00"))
    code, out, _ = clock("diff", "git:HEAD:schedule.py", "schedule.py", *SPAN)
    assert code == 5
    assert "moved   Sat 2026-11-21 09:00:00 +0000  Sat 2026-11-21 10:00:00 +0000" in out


def test_a_revision_that_does_not_exist_is_one_line_and_exit_code_1(
    clock: Clock, old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = clock("diff", "git:nowhere:schedule.py", old)
    assert (code, out) == (1, "")
    assert err.startswith("git:nowhere:schedule.py: ")
    assert err.count("\n") == 1


def _write(file: Path, *events: tuple[str, str]) -> str:
    lines = [f"every('day', 'tasks.x', name={name!r}, at={at!r})" for name, at in events]
    file.write_text("\n".join(["from clock import every, timezone", "timezone('UTC')", *lines]))
    return str(file)
