"""A clock inside an application."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import BlockingConnectionPool, Redis

from clock import Clock, Schedule, embedding
from tests.conftest import ReadSchedule
from tests.live.valkey_process import ValkeyProcess


@pytest.fixture
def schedule(read: ReadSchedule) -> Schedule:
    return read("every('1 second', 'tasks.x')")


def test_it_enqueues_while_it_runs_and_not_any_more_when_it_does_not(
    redis: Redis, schedule: Schedule
) -> None:
    with Clock(schedule, redis).running():
        _wait(lambda: redis.llen("rq:queue:default") >= 2)
    _wait(lambda: not _threads())
    enqueued = redis.llen("rq:queue:default")
    assert len(set(redis.lrange("rq:queue:default", 0, -1))) == enqueued


def test_start_and_stop_may_be_called_again(redis: Redis, schedule: Schedule) -> None:
    clock = Clock(schedule, redis)
    clock.stop()
    clock.start()
    clock.start()
    assert len(_threads()) == 1
    clock.stop()
    clock.stop()
    assert not _threads()
    clock.start()
    assert len(_threads()) == 1
    clock.stop()


def test_it_takes_no_signals(redis: Redis, schedule: Schedule) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with Clock(schedule, redis).running():
        assert {number: signal.getsignal(number) for number in before} == before


def test_two_in_one_process_enqueue_each_occurrence_once(redis: Redis, schedule: Schedule) -> None:
    with Clock(schedule, redis).running(), Clock(schedule, redis).running():
        _wait(lambda: redis.llen("rq:queue:default") >= 3)
    jobs = redis.lrange("rq:queue:default", 0, -1)
    assert len(set(jobs)) == len(jobs)


def test_two_applications_in_one_process_do_not_mix(redis: Redis, read: ReadSchedule) -> None:
    shop = Clock(read("every('1 second', 'tasks.x', queue='shop')"), redis, app="shop")
    mail = Clock(read("every('1 second', 'tasks.x', queue='mail')"), redis, app="mail")
    with shop.running(), mail.running():
        _wait(lambda: redis.llen("rq:queue:shop") > 0 and redis.llen("rq:queue:mail") > 0)
    assert set(redis.keys("clock:*:decided")) == {b"clock:shop:decided", b"clock:mail:decided"}


def test_it_lives_as_long_as_an_asgi_application(redis: Redis, schedule: Schedule) -> None:
    clock = Clock(schedule, redis)

    async def serve() -> None:
        async with clock.lifespan(object()):
            assert len(_threads()) == 1
            await asyncio.to_thread(_wait, lambda: redis.llen("rq:queue:default") > 0)

    asyncio.run(serve())
    assert not _threads()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """More of them are taken than select() knows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 2048:
        pytest.skip("this user may not have 2,048 file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, before[1]))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1200)]
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_it_runs_in_an_application_with_more_descriptors_than_select_takes(
    many_descriptors: None, redis: Redis, schedule: Schedule
) -> None:
    with Clock(schedule, redis).running():
        _wait(lambda: redis.llen("rq:queue:default") >= 2)
        assert _threads()


@pytest.mark.parametrize("blocks", [False, True], ids=["plain pool", "blocking pool"])
def test_a_connection_that_decodes_replies_will_do(
    blocks: bool, server_url: str, redis: Redis, read: ReadSchedule
) -> None:
    # Another schedule file of the application was there before, so that it looks what is removed.
    with Clock(read("every('1 second', 'tasks.y')"), redis).running():
        _wait(lambda: redis.llen("rq:queue:default") >= 1)
    redis.delete("rq:queue:default")
    pool = BlockingConnectionPool.from_url(server_url, decode_responses=True) if blocks else None
    decoding = Redis(connection_pool=pool) if blocks else _decoding(server_url)
    with Clock(read("every('1 second', 'tasks.x')"), decoding).running():
        _wait(lambda: redis.llen("rq:queue:default") >= 1)
        redis.script_flush()
        _wait(lambda: redis.llen("rq:queue:default") >= 2)
    redis.set("clock", "a text")
    assert decoding.get("clock") == "a text", "the application's connection decodes as before"
    decoding.close()


def test_a_stop_does_not_wait_for_ever_for_a_server_that_hangs_and_says_so(
    tmp_path: Path,
    schedule: Schedule,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedding, "STOP_WITHIN", 0.5)
    server = ValkeyProcess(tmp_path / "server")
    server.start()
    with Redis.from_url(server.url) as redis:
        clock = Clock(schedule, redis)
        clock.start()
        _wait(lambda: redis.llen("rq:queue:default") >= 1)
        pid = redis.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            _wait(_waits_for_a_reply)
            asked = time.monotonic()
            clock.stop()
            assert 0.4 < time.monotonic() - asked < 2
        finally:
            os.kill(pid, signal.SIGCONT)
        _wait(lambda: not _threads())
        enqueued = redis.llen("rq:queue:default")
    assert [record.levelname for record in caplog.records if "abandoned" in record.message] == [
        "WARNING"
    ]
    assert enqueued <= 2
    server.stop()


def test_what_ends_the_thread_is_said_even_where_it_is_an_exit(
    redis: Redis,
    schedule: Schedule,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave(_: object) -> None:
        sys.exit("for no reason")

    monkeypatch.setattr("clock.loop.loop.Loop.tick", leave)
    clock = Clock(schedule, redis)
    clock.start()
    _wait(lambda: not _threads())
    said = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert [record.message for record in said] == ['crashed error="SystemExit: for no reason"']
    clock.stop()


FORKING = """\
import logging, os, resource, sys, time
from redis import Redis
from clock import Clock, load

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
redis = Redis.from_url(sys.argv[2])
clock = Clock(load(sys.argv[1]), redis)
clock.start()
while not redis.llen("rq:queue:default"):
    time.sleep(0.02)
if os.fork() == 0:
    clock.stop()
    os._exit(0)
assert os.wait()[1] == 0
begin, used = redis.llen("rq:queue:default"), time.process_time()
while redis.llen("rq:queue:default") < begin + 3:
    time.sleep(0.02)
print(time.process_time() - used)
clock.stop()
"""


@pytest.fixture
def forked(redis: Redis, server_url: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """An application whose fork stopped the clock; it printed its processor time of some three
    seconds after that.
    """
    file = tmp_path / "schedule.py"
    file.write_text("from clock import every\nevery('1 second', 'tasks.x')\n")
    command = [sys.executable, "-c", FORKING, str(file), server_url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def test_a_fork_that_stops_it_stops_nothing_and_costs_its_parent_nothing(
    forked: subprocess.CompletedProcess[str],
) -> None:
    assert float(forked.stdout) < 1.0


def test_the_fields_of_its_log_lines_survive_the_application_s_logging(
    forked: subprocess.CompletedProcess[str],
) -> None:
    lines = [line for line in forked.stderr.splitlines() if " enqueued " in line]
    assert lines
    assert lines[0].startswith("INFO clock enqueued event=tasks.x scheduled_at=20")
    assert " lateness=0." in lines[0]
    assert " queue=default job=tasks-x-" in lines[0]


def _decoding(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True)


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "clock"]


def _waits_for_a_reply() -> bool:
    """Whether the clock's thread is in the client, reading what a server that hangs never sends."""
    (thread,) = _threads()
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code.co_name != "read_response":
        frame = frame.f_back
    return frame is not None


def _wait(fact: Callable[[], bool]) -> None:
    """Wait for a fact, ten seconds at most."""
    patience = threading.Event()
    for _ in range(500):
        if fact():
            return
        patience.wait(0.02)
    raise AssertionError("it did not come true")
