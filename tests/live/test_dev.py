"""`clock dev`: everything on one machine, and nothing left afterwards."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.live.dev_process import DevProcess
from tests.live.processes import needs_proc
from tests.live.server import Server
from tests.live.waiting import wait_for

pytestmark = needs_proc

REPOSITORY = Path(__file__).parents[2]
StartDev = Callable[..., DevProcess]

LONG_TASK = """
import time

def nap():
    print("the nap begins", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with this repository's own schedules and tasks."""
    folder = tmp_path / "house"
    for part in ("schedules", "tasks"):
        shutil.copytree(
            REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "naps.py").write_text(LONG_TASK)
    (folder / "napping.py").write_text(
        "from clock import every\nevery('1 second', 'naps.nap', timeout='2m')\n"
    )
    return folder


@pytest.fixture
def start_dev(project: Path) -> Iterator[StartDev]:
    """Start `clock dev` in the project; it does not outlive the test."""
    started: list[DevProcess] = []

    def start(file: str, url: str | None = None) -> DevProcess:
        started.append(DevProcess(project, file, url=url))
        return started[-1]

    yield start
    for dev in started:
        dev.clean_up()
        sys.stdout.write(dev.output())


def test_the_schedule_of_this_repository_runs_and_ctrl_c_ends_every_process(
    start_dev: StartDev,
) -> None:
    begin = time.monotonic()
    dev = start_dev("schedules/main.py")
    dev.wait_for_text("enqueued")
    dev.wait_for_text(" is alive at ")
    dev.wait_for_text("web    | ")
    assert time.monotonic() - begin < 15
    running = " ".join(dev.processes().values())
    for part in ("valkey-server", "rq.cli worker", "clock schedules/main.py", "clock dev"):
        assert part in running
    assert "clock web" in running

    dev.process.send_signal(signal.SIGINT)
    assert dev.process.wait(timeout=2) == 0
    assert dev.processes() == {}
    assert "Traceback" not in dev.output()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_ends_every_process_within_two_seconds_while_a_long_task_runs(
    number: signal.Signals, start_dev: StartDev
) -> None:
    dev = start_dev("napping.py")
    dev.wait_for_text("the nap begins")
    dev.process.send_signal(number)
    assert dev.process.wait(timeout=2) == 0
    assert dev.processes() == {}


@pytest.mark.parametrize(
    ("file", "sign"),
    [("schedules/main.py", " is alive at "), ("napping.py", "the nap begins")],
    ids=["idle", "busy"],
)
def test_a_kill_of_clock_dev_ends_every_process(file: str, sign: str, start_dev: StartDev) -> None:
    dev = start_dev(file)
    dev.wait_for_text(sign)
    dev.process.kill()
    dev.process.wait()
    wait_for("all its processes are gone", lambda: not dev.processes(), within=5)


def test_a_changed_schedule_is_read_anew_and_one_with_mistakes_is_not(
    start_dev: StartDev, project: Path
) -> None:
    file = project / "changing.py"
    words = "from clock import every\n"
    file.write_text(words + "every('1 second', 'os.getcwd', name='first')\n")
    dev = start_dev("changing.py")
    dev.wait_for_text("first-")
    file.write_text(words + "every('dya', 'os.getcwd', name='first')\nevery('hour', 'x')\n")
    dev.wait_for_text("dev    | changing.py:2: 'dya' is not a period; did you mean 'day'?")
    dev.wait_for_text("dev    | changing.py:3: 'x' is not a dotted name")
    dev.wait_for_text("the clock goes on with the schedule as it was")
    file.write_text(words + "every('1 second', 'os.getpid', name='second', queue='other')\n")
    dev.wait_for_text("the schedule has changed; the clock starts with 1 event")
    dev.wait_for_text("second-")
    running = list(dev.processes().values())
    assert sum("rq.cli worker" in line and " other " in line for line in running) >= 1
    dev.process.send_signal(signal.SIGINT)
    assert dev.process.wait(timeout=2) == 0
    assert dev.processes() == {}


def test_a_configured_server_that_answers_is_used_and_left_alone(
    start_dev: StartDev, server: Server, redis: Redis
) -> None:
    dev = start_dev("napping.py", url=server.url)
    dev.wait_for_text("the nap begins")
    assert redis.exists("clock:clock:decided")
    assert "valkey-server" not in " ".join(dev.processes().values())
    dev.process.send_signal(signal.SIGINT)
    assert dev.process.wait(timeout=2) == 0
    assert dev.processes() == {}
    assert redis.ping()
