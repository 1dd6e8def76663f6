"""``clock FILE``: what it logs at the start, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clock.loop.loop import Loop
from tests.cli.command import Clock
from tests.live.port import free_port


def test_the_start_logs_version_file_zone_events_server_and_next_times(
    schedule: Path, server_url: str
) -> None:
    started, *following = _lines(schedule, "--url", server_url, "--log", "json")
    assert (started["msg"], started["file"], started["zone"]) == (
        "started",
        str(schedule),
        "Europe/Berlin",
    )
    assert (started["events"], started["server"]) == (3, server_url)
    assert started["version"]
    assert [line["event"] for line in following] == ["night", "hourly", "off"]
    assert following[1]["next"].endswith(":00:00Z")
    assert following[2]["next"] == "disabled"


def test_the_next_times_of_the_first_twenty_events_are_logged(
    tmp_path: Path, server_url: str
) -> None:
    file = tmp_path / "many.py"
    file.write_text(
        "from clock import every\nfor n in range(30): every('day', 'tasks.x', name=f'event {n}')\n"
    )
    lines = _lines(file, "--url", server_url, "--log", "json")
    assert [line["msg"] for line in lines] == ["started"] + ["next"] * 20


def test_a_file_without_events_is_a_warning(tmp_path: Path, server_url: str) -> None:
    file = tmp_path / "empty.py"
    file.write_text("from clock import every\n")
    process = _start(file, "--url", server_url, "--log", "json")
    assert process.stdout is not None
    with process:
        _, warning = json.loads(process.stdout.readline()), json.loads(process.stdout.readline())
        process.terminate()
    assert process.returncode == 0
    assert (warning["level"], warning["msg"]) == ("warning", "no events")
    assert warning["reason"] == f"{file} declares no events, so nothing will ever fire"


def test_the_password_of_the_server_is_never_logged(schedule: Path) -> None:
    url = f"redis://user:secret@127.0.0.1:{free_port()}/0"
    lines = [
        json.dumps(line) for line in _lines(schedule, "--url", url, "--log", "json", away=True)
    ]
    assert "user:***@127.0.0.1" in lines[0]
    assert not any("secret" in line for line in lines)


def test_without_a_terminal_the_log_is_logfmt(schedule: Path, server_url: str) -> None:
    process = _start(schedule, "--url", server_url)
    assert process.stdout is not None
    with process:
        first = process.stdout.readline()
        process.terminate()
    assert first.startswith("ts=2")
    assert " level=info msg=started version=" in first
    assert process.returncode == 0


def test_an_unexpected_error_ends_the_clock_with_exit_code_4(
    clock: Clock, schedule: Path, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Loop) -> None:
        raise ZeroDivisionError("of all things")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(Loop, "run", fail)
    code, out, err = clock(str(schedule), "--url", server_url)
    assert code == 4
    assert "level=critical msg=crashed" in out
    assert "ZeroDivisionError: of all things" in out
    assert "Traceback" in err
    assert signal.getsignal(signal.SIGTERM) is before


def _start(schedule: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clock", str(schedule), *words],
        stdout=subprocess.PIPE,
        text=True,
    )


def _lines(schedule: Path, *words: str, away: bool = False) -> list[dict[str, Any]]:
    """What the clock logs up to the last next time, or up to its first line about the server."""
    lines = []
    process = _start(schedule, *words)
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            lines.append(json.loads(line))
            shown = min(int(lines[0]["events"]), 20)
            if lines[-1]["msg"] == "server away" or (not away and len(lines) == 1 + shown):
                break
        process.terminate()
    return lines
