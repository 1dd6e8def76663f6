"""The front of the command line: which command, which exit code, one line for a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from clock.commands import COMMANDS, START
from tests.cli.command import Clock


def test_the_version_is_the_distributions(clock: Clock) -> None:
    assert clock("--version") == (0, f"clock, version {version('rq-clock')}\n", "")


def test_python_m_clock_is_the_same_command() -> None:
    command = [sys.executable, "-m", "clock", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"clock, version {version('rq-clock')}\n"


def test_the_help_names_every_command_and_the_exit_codes(clock: Clock) -> None:
    code, out, _ = clock("--help")
    assert code == 0
    for word in ("check", "list", "next", "dev", "Exit codes"):
        assert word in out
    assert "start " not in out


def test_the_help_shows_the_whole_first_sentence_of_every_command(clock: Clock) -> None:
    _, out, _ = clock("--help")
    assert "..." not in out.partition("Commands:")[2]


@pytest.mark.parametrize("command", [None, START, *COMMANDS])
def test_the_help_of_every_command_ends_in_examples(command: str | None, clock: Clock) -> None:
    code, out, err = clock(*([command] if command else []), "--help")
    assert (code, err) == (0, "")
    examples = out.partition("Examples:\n")[2].splitlines()
    begins = "  clock " if command in (None, START) else f"  clock {command}"
    assert examples
    assert all(line.strip().startswith(begins.strip()) for line in examples)


@pytest.mark.parametrize("command", [START, *COMMANDS])
def test_the_help_gives_every_default_in_brackets(command: str, clock: Clock) -> None:
    _, out, _ = clock(command, "--help")
    assert "; else" not in " ".join(out.split())


def test_a_mistyped_command_suggests_the_nearest(clock: Clock) -> None:
    assert clock("chekc", "schedule.py") == (
        2,
        "",
        "clock: 'chekc' is neither a command nor a file; did you mean 'check'?\n",
    )


def test_an_unknown_option_is_a_usage_error(clock: Clock, schedule: Path) -> None:
    code, out, err = clock("next", str(schedule), "--unknown")
    assert (code, out) == (2, "")
    assert err.startswith("clock: No such option")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [(), ("check",), ("list",), ("next",), ("dev",)])
def test_a_file_that_does_not_exist_is_one_line_and_exit_code_1(
    command: tuple[str, ...], clock: Clock
) -> None:
    assert clock(*command, "nowhere.py") == (
        1,
        "",
        "nowhere.py: cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize("command", [(), ("check",), ("list",), ("next",), ("dev",)])
def test_a_bad_schedule_is_one_line_with_file_and_line_and_exit_code_1(
    command: tuple[str, ...], clock: Clock, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("from clock import every\n\nevery('day', 'tasks.x', at='12:75')\n")
    assert clock(*command, str(bad)) == (
        1,
        "",
        f"{bad}:3: at='12:75': a minute is from 00 to 59, not '75'\n",
    )


def test_an_invalid_address_is_a_usage_error(clock: Clock, schedule: Path) -> None:
    code, out, err = clock(str(schedule), "--url", "http://:secret@host")
    assert (code, out) == (2, "")
    assert err.startswith("clock: the address 'http://:***@host' cannot be used")
    assert err.count("\n") == 1


def test_an_unknown_zone_in_the_environment_stops_the_start(
    clock: Clock, schedule: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_TZ", "Asia/Tokio")
    schedule.write_text("from clock import every\nevery('day', 'tasks.x')\n")
    code, _, err = clock("list", str(schedule))
    assert code == 1
    assert err == f"{schedule}: CLOCK_TZ: unknown zone 'Asia/Tokio'; did you mean 'Asia/Tokyo'?\n"


def test_a_closed_pipe_is_not_an_error(schedule: Path) -> None:
    command = f"{sys.executable} -m clock next {schedule} -n 20000 --json | head -n 1"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
