"""What ends a clock."""

from __future__ import annotations

import math
import signal
import time

import pytest
from redis import Redis

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_ends_the_clock_within_a_second_with_exit_code_0(
    number: signal.Signals, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    clock = start_clock(write_schedule("every('1 second', 'tasks.x', name='a')"))
    wait_for("a fires", lambda: fired(redis, "a"))
    asked = time.monotonic()
    assert clock.stop(number) == 0
    assert time.monotonic() - asked < 1.0
    assert clock.troubles() == []
    assert clock.lines()[-1]["msg"] == "stopped"
    assert clock.err.read_text() == ""


def test_a_claim_at_a_silent_server_does_not_keep_the_clock_from_ending(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    clock = start_clock(write_schedule("every('1 second', 'tasks.x', name='a')"))
    wait_for("a fires", lambda: fired(redis, "a"))
    server.suspend()
    wait_until(math.floor(time.time()) + 1.3)
    asked = time.monotonic()
    assert clock.stop() == 0
    assert time.monotonic() - asked < 1.3
    assert [line["msg"] for line in clock.troubles()] == ["abandoned"]
    assert clock.err.read_text() == ""


def test_repeated_signals_change_nothing(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    # A foreman passes Ctrl-C on to processes that got it from the terminal already.
    clock = start_clock(write_schedule("every('1 second', 'tasks.x', name='a')"))
    wait_for("a fires", lambda: fired(redis, "a"))

    def ended() -> bool:
        clock.send(signal.SIGINT)
        clock.send(signal.SIGTERM)
        return not clock.is_alive()

    wait_for("the clock has ended", ended, pause=0.001)
    assert clock.process.returncode == 0
    assert clock.err.read_text() == ""
