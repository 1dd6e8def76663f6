"""Schedule files with a mistake: none of them starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from tests.live.environment import bare_environment
from tests.live.server import Server

GOOD = "every('1 second', 'tasks.x', name='good')"

BAD = {
    "a syntax error": "every('day', 'tasks.x', at='09:30'",
    "an unknown option": "every('day', 'tasks.x', at='09:30', quue='low')",
    "an impossible time": "every('day', 'tasks.x', at='25:00')",
    "an impossible date": "every('month', 'tasks.x', on=32, at='09:30')",
    "an unknown zone": "every('day', 'tasks.x', at='09:30', tz='Europe/Berlyn')",
    "an unknown period": "every('fortnight', 'tasks.x')",
    "a cron expression that is none": "every(cron('61 * * * *'), 'tasks.x')",
    "a name that is taken": "every('day', 'tasks.x', at='09:30', name='good')",
    "a task without a name": "every('day', lambda: 1, at='09:30')",
    "arguments nobody can serialise": "every('day', 'tasks.x', at='09:30', args=[lambda: 1])",
    "an error of its own": "every('day', 'tasks.x', at=missing)",
}


@pytest.mark.parametrize("mistake", BAD.values(), ids=BAD.keys())
def test_a_mistake_ends_the_clock_with_one_line_that_names_file_and_line(
    mistake: str, server: Server, redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(f"from clock import cron, every\n\n{GOOD}\n{mistake}\n")
    ended = _clock("bad.py", server.url, tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("bad.py:4: ")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert redis.dbsize() == 0


def test_a_schedule_file_that_is_missing_ends_the_clock_with_one_line_that_names_it(
    server: Server, redis: Redis, tmp_path: Path
) -> None:
    ended = _clock("nowhere.py", server.url, tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("nowhere.py: ")
    assert ended.stderr.count("\n") == 1
    assert redis.dbsize() == 0


def _clock(file: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clock", file, "--url", url],
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
