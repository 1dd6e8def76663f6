"""Readers of a clock's log that stall or go away."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis

from tests.live.conftest import WriteSchedule
from tests.live.environment import bare_environment
from tests.live.server import Server
from tests.live.waiting import wait_for

StartInto = Callable[..., subprocess.Popen[bytes]]

TALKATIVE = "for number in range(100): every('1 second', 'tasks.x', name=f'e{number}')"
"""Some 20 kB of log lines a second."""

QUEUE = "rq:queue:default"

QUIET = "every('1 second', 'tasks.x')"


@pytest.fixture
def start_into(server: Server) -> Iterator[StartInto]:
    """Start a clock that logs into a descriptor; it does not outlive the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(file: Path, out: int, *before: str, command: str = "") -> subprocess.Popen[bytes]:
        clock = [sys.executable, "-m", "clock", *command.split()]
        started.append(
            subprocess.Popen(
                [*before, *clock, str(file), "--url", server.url],
                stdout=out,
                stderr=out,
                cwd=file.parent,
                env=bare_environment(),
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal: the descriptors of who looks at it, and of who writes to it."""
    master, slave = os.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_a_log_reader_that_stops_reading_delays_neither_the_clock_nor_its_end(
    redis: Redis, write_schedule: WriteSchedule, start_into: StartInto
) -> None:
    reader, writer = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = start_into(write_schedule(TALKATIVE), writer)
    os.close(writer)
    # A pipe holds 64 kB at most, which are full after some four of these seconds.
    _assert_it_goes_on(redis, seconds=6)
    _assert_it_ends_at_once(process)
    os.close(reader)


def test_a_stopped_terminal_delays_neither_the_clock_nor_its_end(
    redis: Redis,
    write_schedule: WriteSchedule,
    start_into: StartInto,
    terminal: tuple[int, int],
) -> None:
    _, slave = terminal
    termios.tcflow(slave, termios.TCOOFF)  # what Ctrl-S does
    process = start_into(write_schedule(TALKATIVE), slave)
    _assert_it_goes_on(redis, seconds=3)
    _assert_it_ends_at_once(process)
    termios.tcflow(slave, termios.TCOON)


def test_a_log_reader_that_is_gone_ends_no_clock(
    redis: Redis, write_schedule: WriteSchedule, start_into: StartInto
) -> None:
    reader, writer = os.pipe()
    process = start_into(write_schedule(QUIET), writer)
    os.close(writer)
    os.close(reader)
    _assert_it_goes_on(redis, seconds=2)
    _assert_it_ends_at_once(process)


def test_a_clock_without_a_standard_output_runs_and_prints_no_traceback(
    redis: Redis, write_schedule: WriteSchedule, start_into: StartInto, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with output.open("wb") as out:
        file = write_schedule(QUIET, "print('a word')")
        process = start_into(file, out.fileno(), "/bin/sh", "-c", 'exec "$0" "$@" >&-')
        _assert_it_goes_on(redis, seconds=2)
        _assert_it_ends_at_once(process)
    assert output.read_text() == ""


def test_clock_dev_runs_and_ends_if_nobody_reads_its_output(
    redis: Redis, server: Server, write_schedule: WriteSchedule, start_into: StartInto
) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 512)
    os.set_blocking(writer, True)
    process = start_into(write_schedule(QUIET), writer, command="dev")
    os.close(writer)
    # What the worker took is a job of an event that fired.
    wait_for("its worker runs jobs", lambda: redis.zcard("rq:failed:default"), within=30)
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    assert time.monotonic() - asked < 3
    os.close(reader)


def _assert_it_goes_on(redis: Redis, *, seconds: int) -> None:
    begin = wait_for("the clock fires", lambda: redis.llen(QUEUE))
    a_second = min(begin, 100)
    wait_for(
        "the clock goes on",
        lambda: redis.llen(QUEUE) >= begin + seconds * a_second,
        within=seconds + 15,
    )


def _assert_it_ends_at_once(process: subprocess.Popen[bytes]) -> None:
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    assert time.monotonic() - asked < 1.5
