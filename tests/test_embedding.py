"""A clock inside an application."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable

import pytest
from redis import Redis

from clock import Clock, Schedule
from tests.conftest import ReadSchedule


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


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "clock"]


def _wait(fact: Callable[[], bool]) -> None:
    """Wait for a fact, ten seconds at most."""
    patience = threading.Event()
    for _ in range(500):
        if fact():
            return
        patience.wait(0.02)
    raise AssertionError("it did not come true")
