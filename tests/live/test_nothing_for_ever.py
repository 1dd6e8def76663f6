"""After a full life of clock, worker and application, nothing is left that would stay for ever."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.utils import as_text

from benchmarks.retention.day import without_end
from clock import keys, load
from clock.jobs import enqueue
from clock.ledger.backfill import Backfill
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess

WORK = """
import time
from clock.jobs import Skip, progress

def good():
    print("good")
    return 1

def bad():
    print("bad")
    raise RuntimeError("bad")

def nothing():
    raise Skip("nothing to do")

def long():
    progress(1, 2, "half")
    time.sleep(0.5)
    progress(2, 2, "done")
"""

NAMES_OF_RQ = re.compile(
    r"rq:(queues|workers|schedulers|clean_registries:\w+"
    r"|(queue|workers|finished|failed|wip|scheduled|deferred|canceled):\w+(:intermediate)?)"
)
"""Keys of RQ's that have no TTL: one a server or a queue, and cleaned by RQ's workers."""

WAITING = {JobStatus.QUEUED, JobStatus.SCHEDULED, JobStatus.DEFERRED, JobStatus.STARTED}


@pytest.fixture
def worker(tmp_path: Path, server: Server) -> Iterator[WorkerProcess]:
    (tmp_path / "work.py").write_text(WORK)
    process = WorkerProcess(tmp_path, server.url, "--with-scheduler", "high", "default")
    yield process
    process.process.kill()
    process.process.wait()


def test_every_key_has_a_ttl_or_a_cap(
    server: Server,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    worker: WorkerProcess,
) -> None:
    file = write_schedule(
        "every('2 seconds', 'work.good', overlap='skip')",
        "every('2 seconds', 'work.bad', retry=1, expires='1m')",
        "every('2 seconds', 'work.nothing', name='skipping')",
        "every('2 seconds', 'work.good', name='paused')",
        "every('1 hour', 'work.good', name='hourly')",
    )
    clock = start_clock(file)
    clock.wait_for_line("enqueued")
    _operate(redis, file)
    _apply(redis)
    wait_for("a lease", lambda: _any(redis, "clock:clock:running:*"), pause=0.005)
    assert _for_ever(redis) == []
    wait_for("a progress", lambda: _any(redis, "clock:progress:*"))
    wait_for("three events' runs", lambda: len(redis.keys(keys.runs("clock", "*"))) >= 3)
    wait_for("failed jobs", lambda: redis.exists(keys.failed("clock", "work.bad")))
    assert _for_ever(redis) == []

    assert clock.stop() == 0
    wait_for("all jobs ran", lambda: not _any(redis, "rq:queue:*") and not _any(redis, "rq:wip:*"))
    assert _for_ever(redis) == []
    kinds = {as_text(name).split(":")[2] for name in redis.scan_iter("clock:clock:*")}
    assert {"decided", "templates", "pauses", "backfilled", "runs", "failed", "unique"} <= kinds
    assert {"output", "outputs", "output_sizes", "last_output", "bad_output"} <= kinds

    worker.process.terminate()
    assert worker.process.wait(timeout=15) == 0, worker.output()
    assert _for_ever(redis) == []


def _operate(redis: Redis, file: Path) -> None:
    """What a person does by hand."""
    now = time.time()
    since = Pause(until=None, reason="", by="test", since=int(now))
    pause(redis, "clock", "paused", since)
    run_now(redis, "clock", "hourly", now)
    event = load(str(file)).events["hourly"]
    hour = int(now) // 3600 * 3600 - 3600
    Backfill.of_event(redis, app="clock", event=event, serializer="pickle").push(hour, now)


def _apply(redis: Redis) -> None:
    """What an application does."""
    for _ in range(3):
        enqueue("work.long", max_running=1, connection=redis)
    enqueue("work.good", unique="1h", expires="1m", connection=redis)
    enqueue("work.good", delay="1s", priority="high", connection=redis)
    enqueue("work.bad", failure_ttl="1h", connection=redis)


def _for_ever(redis: Redis) -> list[str]:
    """The keys that have neither a TTL nor a reason to have none."""
    return [
        name
        for name in without_end(redis)
        if not NAMES_OF_RQ.fullmatch(name) and not _waits(redis, name)
    ]


def _waits(redis: Redis, name: str) -> bool:
    match = re.fullmatch(r"rq:job:([A-Za-z0-9_-]+)", name)
    if match is None:
        return False
    status = redis.hget(Job.key_for(match[1]), "status")
    # Ended since it was listed: it has its TTL by now.
    return status is None or redis.ttl(name) != -1 or JobStatus(as_text(status)) in WAITING


def _any(redis: Redis, pattern: str) -> bool:
    return next(redis.scan_iter(pattern), None) is not None
