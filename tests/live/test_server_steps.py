"""A server whose own clock jumps: nothing is doubled, nothing is early, and records are healed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from benchmarks.faults.wall_clock import WallClock, libfaketime
from clock import Schedule, keys
from clock.connection.client import REPLY_TIMEOUT, connect
from clock.connection.sentinel import connect_to_master
from clock.ledger.clocks import read_clocks
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from clock.loop.heartbeat import Heartbeat
from clock.loop.loop import Loop
from clock.loop.server_time import ServerTime
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.faked_time import needs_libfaketime
from tests.live.jobs import fired
from tests.live.sentinels import MASTER, Sentinels
from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for

pytestmark = needs_libfaketime

HOLD = 3.0
"""Seconds after which the loops of these tests believe a jump; in a clock it is five minutes."""


@pytest.fixture
def server_clock(tmp_path: Path) -> WallClock:
    library = libfaketime()
    assert library is not None
    return WallClock(library, tmp_path / "server-clock")


@pytest.fixture
def server(tmp_path: Path, server_clock: WallClock) -> Iterator[ValkeyProcess]:
    """A server whose wall clock ``server_clock`` sets."""
    server = ValkeyProcess(tmp_path / "server", environ=server_clock.environment())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(server: ValkeyProcess) -> Iterator[Redis]:
    with Redis.from_url(server.url) as connection:
        yield connection


class Running:
    """A loop in a thread of this process, whose host has the right time."""

    def __init__(self, connection: Redis, schedule: Schedule) -> None:
        self._stop = Stop()
        app, token = "clock", "h:1:x"
        loop = Loop(
            list(schedule.events.values()),
            Ledger(connection, app=app, token=token),
            self._stop,
            heartbeat=Heartbeat(connection, schedule, app=app, token=token, serializer="pickle"),
            server_time=ServerTime(hold=HOLD),
        )
        self._thread = threading.Thread(target=loop.run)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def run(server: ValkeyProcess, read: ReadSchedule) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(line: str = "every('1 second', 'tasks.x')") -> Running:
        running.append(Running(connect(server.url), read(line)))
        return running[-1]

    yield start
    for clock in running:
        clock.end()


def test_nothing_is_decided_while_a_server_is_ahead_for_a_moment(
    redis: Redis, run: Callable[..., Running], server_clock: WallClock
) -> None:
    run()
    _wait_for_jobs(redis, 2)
    before = time.time()
    # Not so far that the keys of the ledger expire.
    server_clock.set(100 * 86_400)
    wait_for("it is read", lambda: read_clocks(redis, "clock")[0].last_tick > before + 86_400)
    server_clock.set(0)
    _wait_for_jobs(redis, redis.llen("rq:queue:default") + 3)
    jobs = fired(redis)
    assert all(job.scheduled < time.time() for job in jobs)
    _enqueued_once(redis)


@pytest.mark.long
@pytest.mark.parametrize("offset", [30, -30])
def test_a_failover_to_a_server_half_a_minute_off_doubles_nothing_and_goes_on(
    offset: int, tmp_path: Path, read: ReadSchedule, server_clock: WallClock
) -> None:
    server_clock.set(offset)
    sentinels = Sentinels(tmp_path / "servers", server_clock.environment())
    running = None
    try:
        sentinels.start()
        settings = {"INSTANCES": sentinels.instances(), "MASTER_NAME": MASTER}
        schedule = read("every('1 second', 'tasks.x')")
        running = Running(connect_to_master(settings, REPLY_TIMEOUT), schedule)
        with Redis.from_url(sentinels.first.url) as first:
            _wait_for_jobs(first, 3)
        sentinels.fail_over()
        new_time = time.time() + offset
        with Redis.from_url(sentinels.second.url) as second:
            known = fired(second)[-1].scheduled
            # Behind, the record is waited out.
            wait_for(
                "it goes on by the new time",
                lambda: fired(second)[-1].scheduled > max(new_time, known),
                within=60,
            )
            wait_for("it is not late", lambda: _is_prompt(second), within=60)
            _enqueued_once(second)
            assert all(job.enqueued >= job.scheduled - 0.1 for job in fired(second))
    finally:
        if running is not None:
            running.end()
        sentinels.stop()


@pytest.mark.parametrize("jump", [8, -8])
def test_a_server_that_is_set_by_some_seconds_doubles_nothing_and_goes_on(
    jump: int, redis: Redis, run: Callable[..., Running], server_clock: WallClock
) -> None:
    run()
    _wait_for_jobs(redis, 3)
    jumped = time.time()
    server_clock.set(jump)
    known = redis.llen("rq:queue:default")
    # Behind, the record is waited out.
    wait_for(
        "it goes on by the new time",
        lambda: fired(redis)[-1].scheduled > jumped + max(jump, 0) + 1,
        within=60,
    )
    assert redis.llen("rq:queue:default") > known
    _enqueued_once(redis)
    assert all(job.enqueued >= job.scheduled - 0.1 for job in fired(redis))


def test_a_server_ten_minutes_back_has_its_records_lowered_and_fires_nothing_twice(
    redis: Redis, run: Callable[..., Running], server_clock: WallClock
) -> None:
    server_clock.set(600)
    first = run()
    _wait_for_jobs(redis, 5)
    first.end()
    server_clock.set(0)
    ahead = {job.scheduled for job in fired(redis)}
    run()
    wait_for("it fires in the present", lambda: abs(fired(redis)[-1].scheduled - time.time()) < 5)
    _wait_for_jobs(redis, len(ahead) + 4)
    # The time comes of what fired already; its jobs are still on the queue.
    server_clock.set(600)
    wait_for(
        "it is past what fired already",
        lambda: read_record(redis, "clock", "tasks.x").decided > max(ahead),
        within=30,
    )
    _enqueued_once(redis)
    assert not redis.exists(keys.ahead("clock"))


def test_a_loop_whose_server_was_ten_minutes_ahead_fires_once_its_time_is_right(
    redis: Redis, run: Callable[..., Running], server_clock: WallClock
) -> None:
    server_clock.set(600)
    run()
    _wait_for_jobs(redis, 3)
    server_clock.set(0)
    right_since = time.time()
    wait_for(
        "it fires in the present",
        lambda: [job for job in fired(redis) if right_since + 4 < job.scheduled < time.time()],
        within=30,
    )
    _enqueued_once(redis)
    assert read_record(redis, "clock", "tasks.x").counters["missed"] < 30


def test_a_record_that_cannot_be_lowered_is_logged_and_clock_rewind_repairs_it(
    redis: Redis,
    server: ValkeyProcess,
    server_clock: WallClock,
    start_clock: StartClock,
    write_schedule: WriteSchedule,
) -> None:
    schedule = write_schedule("every('1 second', 'tasks.x')", "every('1 second', 'tasks.y')")
    server_clock.set(3600)
    first = start_clock(schedule, server.url)
    first.wait_for_line("enqueued")
    assert first.stop() == 0
    server_clock.set(0)
    line = redis.hget(keys.decided("clock"), "tasks.x")
    assert isinstance(line, bytes)
    # As where it fired more often than a history of 900 characters lists.
    head, bar, history = line.decode().partition("|")
    decided, last, by, _, rest = head.split(" ", 4)
    redis.hset(keys.decided("clock"), "tasks.x", f"{decided} {last} {by} 99 {rest}{bar}{history}")
    clock = start_clock(schedule, server.url)
    trouble = clock.wait_for_line("trouble")
    assert trouble["event"] == "tasks.x"
    assert "clock rewind 'tasks.x'" in trouble["reason"]
    assert clock.wait_for_line("record moved back")["event"] == "tasks.y"
    wait_for("the other fires", lambda: "tasks.y" in str(clock.enqueued()))
    assert all(event == "tasks.y" for event, _ in clock.enqueued())
    _rewind(server.url)
    wait_for("it fires", lambda: "tasks.x" in str(clock.enqueued()))
    assert clock.stop() == 0


def _rewind(url: str) -> None:
    words = [sys.executable, "-m", "clock", "rewind", "--url", url]
    subprocess.run(words, check=True, env=bare_environment(), timeout=30)


def _is_prompt(redis: Redis) -> bool:
    """Whether the last job was enqueued at its time, by the clock of the server."""
    last = fired(redis)[-1]
    return last.enqueued - last.scheduled < 1


def _wait_for_jobs(redis: Redis, count: int) -> None:
    wait_for(f"{count} jobs", lambda: redis.llen("rq:queue:default") >= count, within=30)


def _enqueued_once(redis: Redis) -> None:
    scheduled = [job.scheduled for job in fired(redis, "tasks.x")]
    assert len(scheduled) == len(set(scheduled))
