"""The clock as the user that docs/acl.md makes for it."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest
from redis import Redis

from clock import keys
from clock.ledger.job import job_id
from clock.ledger.pauses import Pause, pause
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.granted import APP, address, assert_exact, grant, lines_of
from tests.live.recording import recorded
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until
from tests.live.worker_tasks import EVENT, enqueue_occurrence
from tests.watchers.receiver import receiver

REPLACED = ("queued", "scheduled", "deferred", "ready_to_enqueue", "rate_limited")
"""States of a job that waits when the next one of its event replaces it."""

SCHEDULE = (
    "from datetime import UTC, datetime, timedelta",
    "from clock import times",
    "begin = datetime.now(UTC).replace(microsecond=0)",
    "stream = times([begin + timedelta(seconds=n) for n in range(600)])",
    "every('1 second', 'work.ok', name='plain')",
    "every('1 second', 'work.ok', name='like it')",
    "every('1 second', 'work.ok', name='asked', if_=lambda occurrence: True)",
    "every('1 second', 'work.ok', name='refused', if_=lambda occurrence: False)",
    "every('1 second', 'work.ok', name='all', catch_up='all', at_front=True)",
    "every('1 second', 'work.ok', name='paused')",
    "every('1 second', 'work.ok', name='skipped', overlap='skip')",
    "every('1 second', 'work.ok', name='expiring', expires='1m', retry=3, queue='low')",
    "every('1 second', 'work.ok', name='limited', max_running=1)",
    "every(stream, 'work.ok', name='published')",
    *(f"every('1 second', 'work.ok', name={name!r}, overlap='replace')" for name in REPLACED),
)

FIRING = {"plain", "like it", "asked", "all", "expiring", "limited", "published", *REPLACED}

ORDINARY = {"missed", "slow", "abandoned"}
"""What a clock logs of a time without it, of a busy machine, and of a stop while it asks."""

OPTIONAL = ("time", "info", "config|get", "copy", "lpos")
"""Commands that the page says may be withheld."""


@pytest.mark.long
def test_a_clock_works_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    line, *_ = lines_of("clock")
    grant(redis, line)
    url, file = address(server.url, "clock"), write_schedule(*SCHEDULE)
    _leave_what_is_forgotten(redis)

    with recorded(redis) as start:
        first = start_clock(file, url, CLOCK_APP=APP)
        _wait_until_all_fire(first)
        first.wait_for_line("skipped")
        first.kill()
    assert _messages(first) == set()

    _leave_states(redis, first)
    pause(redis, APP, "paused", Pause(until=None, reason="", by="ann", since=int(time.time())))
    wait_until(time.time() + 2.1)
    with recorded(redis, "flushall") as return_:
        second = start_clock(file, url, CLOCK_APP=APP)
        _wait_until_all_fire(second)
        wait_for("it beats", lambda: _seconds(second) >= 6)
        redis.flushall()
        lost = second.wait_for_line("server lost data")
        wait_for("it fires again", lambda: second.enqueued()[-1][1] > lost["ts"])
        assert second.stop() == 0
    assert lost["pauses_written_back"] == "paused"
    assert "paused" not in dict(second.enqueued())
    assert _messages(second) == {"server lost data"}

    other = file.with_name("other.py")
    other.write_text(
        "from clock import every\nevery('1 second', 'work.ok', name='plain', retry=1)\n"
    )
    with recorded(redis) as conflict:
        both = [
            start_clock(of, url, CLOCK_APP=APP, CLOCK_CONFLICT_AFTER="1") for of in (file, other)
        ]
        for clock in both:
            clock.wait_for_line("conflict", within=30)
        assert [clock.stop() for clock in both] == [0, 0]
    for clock in both:
        assert _messages(clock) == {"conflict"}

    assert_exact(line, start, return_, conflict)


def test_webhooks_and_the_self_check_need_exactly_the_rights_that_the_docs_list(
    server: Server,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_worker: StartWorker,
) -> None:
    line, with_webhooks, _ = lines_of("clock")
    grant(redis, line, with_webhooks)
    enqueue_occurrence(redis, "fail")
    start_worker("--burst", CLOCK_APP=APP).process.wait(timeout=30)
    file = write_schedule(
        f"every('day', 'work.fail', name={EVENT!r})", "every('1 second', 'work.ok', name='ok')"
    )
    with receiver() as service, recorded(redis) as recording:
        url = address(server.url, "clock")
        environ = {"CLOCK_APP": APP, "CLOCK_WEBHOOK_URL": service.url, "CLOCK_OVERDUE_AFTER": "1"}
        clock = start_clock(file, url, **environ)
        clock.wait_for_line("webhook sent")
        wait_for("the self-check had its turn", lambda: _seconds(clock) >= 5)
        assert clock.stop() == 0
    assert not clock.lines("watch")
    (notice,) = json.loads(service.heard[0].body)["data"]["notices"]
    assert notice["line"].startswith("ValueError: ")
    assert_exact(with_webhooks, recording)


def test_sources_need_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    line, _, with_sources = lines_of("clock")
    grant(redis, line, with_sources)
    file = write_schedule(
        "from clock import source",
        "import itertools",
        "numbers = itertools.count()",
        "def rows():",
        "    number = next(numbers)",
        "    yield {'name': 'row', 'every': '1 second', 'task': 'work.ok', 'args': [number]}",
        "    if number < 3:",
        "        yield {'name': 'short', 'every': '1 second', 'task': 'work.ok'}",
        "    if number == 4:",
        "        yield {'name': 'bad'}",
        "    assert number != 5",
        "source('rows', rows, every=1, tasks=['work.*'])",
    )
    with recorded(redis) as recording:
        clock = start_clock(file, address(server.url, "clock"), CLOCK_APP=APP)
        clock.wait_for_line("source back")
        wait_for("its row fires", lambda: dict(clock.enqueued()).get("row"))
        assert clock.stop() == 0
    assert _messages(clock) == {"row refused", "source failing"}
    assert_exact(with_sources, recording)


def test_a_clock_fires_without_the_commands_that_the_docs_call_optional(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    line, *_ = lines_of("clock")
    grant(redis, line, line._replace(rules=[f"-{command}" for command in OPTIONAL]))
    clock = start_clock(write_schedule(*SCHEDULE), address(server.url, "clock"), CLOCK_APP=APP)
    _wait_until_all_fire(clock)
    wait_for("some fire again", lambda: _seconds(clock) >= 3)
    assert clock.stop() == 0
    (trouble,) = (line for line in clock.troubles() if line["msg"] not in ORDINARY)
    assert trouble["msg"] == "server time"
    assert "may not ask the server for its TIME" in trouble["reason"]


def _messages(clock: ClockProcess) -> set[str]:
    """Of what it logged above the level of information, what may be about its rights."""
    return {line["msg"] for line in clock.troubles()} - ORDINARY


def _wait_until_all_fire(clock: ClockProcess) -> None:
    wait_for("all events fire", lambda: {name for name, _ in clock.enqueued()} >= FIRING)


def _seconds(clock: ClockProcess) -> int:
    """The seconds in which it enqueued anything."""
    return len({scheduled for _, scheduled in clock.enqueued()})


def _leave_what_is_forgotten(redis: Redis) -> None:
    """Events and options of jobs that no clock has named for long, and a worker."""
    for number in range(50):
        redis.hset(keys.decided(APP), f"old {number}", "1000000 - - 0 0 0 0 0 0 0|")
    redis.hset(keys.shapes(APP), "old", "1000000 ")
    redis.sadd("rq:workers:default", "rq:worker:a")
    redis.hset("rq:worker:a", "clock_serializer", "pickle")


def _leave_states(redis: Redis, clock: ClockProcess) -> None:
    """Jobs in the states in which the next claim of their event finds them."""
    latest = {event: datetime.fromisoformat(at) for event, at in clock.enqueued()}
    for event in (*REPLACED, "skipped"):
        job = job_id(APP, event, int(latest[event].timestamp()))
        redis.hset(f"rq:job:{job}", "status", "started" if event == "skipped" else event)
        if event == "rate_limited":
            redis.hset(f"rq:job:{job}", "rate_limit_key", "heavy")
        if event == "skipped":
            redis.zadd(f"rq:executions:{job}", {"one": time.time() + 60})
            redis.hset(f"rq:execution:{job}:one", "id", "one")
