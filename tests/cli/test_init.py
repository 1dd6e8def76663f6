"""``clock init``: what it writes passes and runs at once, and it overwrites nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clock.dev.project import FILES
from tests.cli.command import Clock
from tests.live.dev_process import DevProcess
from tests.live.environment import bare_environment


def in_folder(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_files_of_a_new_project_pass_their_check_and_their_test(
    clock: Clock, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    code, out, err = clock("init", str(folder))
    assert (code, err) == (0, "")
    assert [line.rpartition("/")[2] for line in out.splitlines()[: len(FILES)]] == list(FILES)
    assert out.endswith(f"\nnow: cd {folder} && clock dev schedule.py\n")
    checked = in_folder(folder, "clock", "check", "schedule.py", "-c", "settings")
    assert (checked.returncode, checked.stdout) == (
        0,
        "schedule.py: 2 events, zone UTC, no mistakes\n",
    )
    # The checkout of this project has a package of that name, and is on the path.
    warnings = checked.stderr.splitlines()
    assert [line for line in warnings if not line.startswith("warning: 'tasks' resolves")] == []
    tested = in_folder(folder, "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout


def test_a_new_project_runs_with_clock_dev(clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    assert clock("init", str(folder))[0] == 0
    dev = DevProcess(folder, "schedule.py")
    try:
        dev.wait_for_text("tasks.say_hello")
        dev.process.send_signal(signal.SIGINT)
        assert dev.process.wait(timeout=5) == 0
    finally:
        dev.clean_up()


@pytest.mark.parametrize("name", list(FILES))
def test_nothing_is_overwritten(clock: Clock, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    code, out, err = clock("init", str(tmp_path))
    assert (code, out) == (2, "")
    assert err == f"clock: {tmp_path / name} is there already; nothing was written\n"
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"
