"""A server that loses its data while clocks run: what was paused stays paused."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from redis import Redis

from clock import keys
from clock.ledger.clocks import BEAT_EVERY, read_clocks
from clock.ledger.pauses import Pause, pause, read_pauses
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.server import Server
from tests.live.waiting import wait_for


@pytest.mark.parametrize("clocks", [1, 2])
def test_a_paused_event_does_not_fire_after_everything_was_flushed(
    clocks: int, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='paused')", "every('1 second', 'tasks.x', name='other')"
    )
    started = [start_clock(file) for _ in range(clocks)]
    wait_for("all have noted their lives", lambda: len(read_clocks(redis, "clock")) == clocks)
    now = int(time.time())
    stopped = Pause(until=None, reason="stock taking", by="ann", since=now)
    pause(redis, "clock", "paused", stopped)
    _wait_for_a_beat_after(redis, now + 2)
    redis.flushall()
    wait_for("the other event fires", lambda: len(fired(redis, "other")) > BEAT_EVERY + 1)
    assert fired(redis, "paused") == []
    assert read_pauses(redis, "clock") == {"paused": stopped}
    assert redis.hexists(keys.decided("clock"), "paused")
    for clock in started:
        line = clock.wait_for_line("server lost data")
        assert line["level"] == "error"
    written = [clock.lines("server lost data")[0]["pauses_written_back"] for clock in started]
    assert "paused" in written
    assert all(len(clock.lines("server lost data")) == 1 for clock in started)


def test_a_server_without_its_data_gets_the_pauses_back_before_anything_fires(
    server: Server,
    tmp_path: Path,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='paused')", "every('1 second', 'tasks.x', name='other')"
    )
    clock = start_clock(file)
    wait_for("it has noted its life", lambda: read_clocks(redis, "clock"))
    now = int(time.time())
    pause(redis, "clock", "paused", Pause(until=None, reason="", by="ann", since=now))
    _wait_for_a_beat_after(redis, now + 2)
    server.stop()
    shutil.rmtree(tmp_path / "server")
    server.start()
    wait_for("the other event fires again", lambda: len(fired(redis, "other")) > 2)
    assert fired(redis, "paused") == []
    line = clock.wait_for_line("server lost data")
    assert (line["pauses_written_back"], line["level"]) == ("paused", "error")
    assert line["records_lost"] == "2 of 2"


def _wait_for_a_beat_after(redis: Redis, instant: float) -> None:
    wait_for(
        "each clock has looked at the pauses since",
        lambda: all(life.last_tick > instant for life in read_clocks(redis, "clock")),
    )
