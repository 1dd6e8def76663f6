"""The process of a clock: its first moments, as process 1, under nohup, with odd streams."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.processes import needs_proc
from tests.live.waiting import wait_for

SLEEPY = (
    "import pathlib, time",
    "pathlib.Path(__file__).with_name('reading').touch()",
    "try: time.sleep(60)",
    "except BaseException: pass",
    "every('1 second', 'tasks.x')",
)
"""A schedule that takes a minute to read and catches every exception."""


class Started:
    """A clock that was started by way of another command."""

    def __init__(self, file: Path, *before: str) -> None:
        self.reading = file.with_name("reading")
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "clock", str(file)],
            cwd=file.parent,
            env=bare_environment() | {"CLOCK_REDIS_URL": "redis://127.0.0.1:1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def pid(self) -> int:
        """Of the clock itself, which may be the only child of what was started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        return int(pids[0]) if pids else self.process.pid

    def output(self) -> str:
        """All it printed, once it has ended."""
        return self.process.communicate(timeout=15)[0].decode()


@pytest.fixture
def started() -> Iterator[list[Started]]:
    """What is in this list does not outlive the test."""
    started: list[Started] = []
    yield started
    for started_process in started:
        if started_process.process.poll() is None:
            subprocess.run(["kill", "-9", str(started_process.pid())], check=False)  # noqa: S607
            started_process.process.kill()
        started_process.process.communicate()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_while_the_file_is_read_ends_the_clock_with_exit_code_0(
    number: signal.Signals, write_schedule: WriteSchedule, started: list[Started]
) -> None:
    clock = Started(write_schedule(*SLEEPY))
    started.append(clock)
    wait_for("the file is being read", clock.reading.exists)
    _assert_it_ends_at_once(clock, number)


def test_a_signal_before_anything_is_imported_ends_the_clock_with_exit_code_0(
    write_schedule: WriteSchedule, started: list[Started], tmp_path: Path
) -> None:
    # Python imports this file by itself. It sends the signal where the command begins to import.
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import signal, sys\n"
        "class Trap:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name in {'clock.cli', 'click'}: signal.raise_signal(signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Trap())\n"
    )
    clock = Started(write_schedule(*SLEEPY), "env", f"PYTHONPATH={site}")
    started.append(clock)
    assert clock.output() == ""
    assert clock.process.returncode == 0
    assert not clock.reading.exists()


def test_other_commands_keep_the_default_signal_handlers(tmp_path: Path) -> None:
    file = tmp_path / "schedule.py"
    file.write_text("import signal\nsignal.raise_signal(signal.SIGTERM)\n")
    command = [sys.executable, "-m", "clock", "check", str(file)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGTERM


@needs_proc
@pytest.mark.parametrize("is_read", [False, True], ids=["while the file is read", "later"])
def test_process_1_of_a_container_obeys_sigterm(
    is_read: bool, write_schedule: WriteSchedule, started: list[Started]
) -> None:
    unshare = _unshare()
    clock = Started(write_schedule(*(SLEEPY[:2] + SLEEPY[4:] if is_read else SLEEPY)), *unshare)
    started.append(clock)
    wait_for("the file is being read", clock.reading.exists)
    if is_read:
        assert clock.process.stdout is not None
        while b"server away" not in clock.process.stdout.readline():
            pass
    status = Path(f"/proc/{clock.pid()}/status").read_text()
    assert next(line for line in status.splitlines() if line.startswith("NSpid")).endswith("\t1")
    _assert_it_ends_at_once(clock, signal.SIGTERM)


@needs_proc
def test_signals_that_nohup_ignores_stay_ignored(
    write_schedule: WriteSchedule, started: list[Started]
) -> None:
    clock = Started(write_schedule("every('1 second', 'tasks.x')"), "nohup")
    started.append(clock)
    assert clock.process.stdout is not None
    while b"server away" not in clock.process.stdout.readline():
        pass
    clock.process.send_signal(signal.SIGHUP)
    ignored = int(_status(clock.pid(), "SigIgn"), 16)
    assert ignored & 1 << signal.SIGHUP - 1
    with pytest.raises(subprocess.TimeoutExpired):
        clock.process.wait(timeout=1)
    _assert_it_ends_at_once(clock, signal.SIGTERM)


def test_a_logging_configuration_of_the_schedule_does_not_silence_the_clock(
    write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    configure = "import logging.config as config; config.dictConfig({'version': 1, %s})"
    late = configure % "'loggers': {'clock': {'level': 'INFO'}}"
    clock = start_clock(
        write_schedule(
            configure % "'root': {'level': 'ERROR'}",
            f"def late(_): {late}; return True",
            "every('1 second', 'tasks.x', name='a', if_=late)",
        )
    )
    wait_for("its lines go on", lambda: len(clock.lines("enqueued")) > 2)
    assert clock.stop() == 0
    assert [line["msg"] for line in clock.lines()][:2] == ["started", "next"]
    assert clock.lines()[-1]["msg"] == "stopped"


def _assert_it_ends_at_once(clock: Started, number: signal.Signals) -> None:
    asked = time.monotonic()
    subprocess.run(["kill", f"-{number.value}", str(clock.pid())], check=True)  # noqa: S607
    assert clock.process.wait(timeout=15) == 0
    assert time.monotonic() - asked < 1.5
    assert "Traceback" not in clock.output()


def _status(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith(f"{field}:")).split()[1]


def _unshare() -> Sequence[str]:
    """What makes a command process 1 of a namespace of its own."""
    program = shutil.which("unshare")
    if program is None:
        pytest.skip("no unshare is installed on this machine")
    words = [program, "--pid", "--fork", "--kill-child"]
    for own in (words, [*words, "--user", "--map-root-user"]):
        if subprocess.run([*own, "true"], capture_output=True, check=False).returncode == 0:
            return own
    pytest.skip("this user may not make a process namespace")
