"""What others write in a second, for comparison: each in this process, with its own code."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from redis import Redis
from rq import Queue

from benchmarks.ratio import seconds
from benchmarks.server import server

Prepare = Callable[[Redis, int], Callable[[], object]]


def others(count: int, runs: int) -> Iterator[str]:
    """A line for each that is installed: ``count`` due at once, the median of ``runs``."""
    yield f"beside them, {count:,} jobs at once, jobs a second:"
    for name, prepare in OTHERS.items():
        try:
            with server() as url, Redis.from_url(url) as connection:
                took = [_once(prepare, connection, count) for _ in range(runs)]
        except ImportError:
            yield f"  {name}: not installed"
        else:
            yield f"  {name}: {count / median(took):,.0f}"


def _once(prepare: Prepare, connection: Redis, count: int) -> float:
    connection.flushall()
    work = prepare(connection, count)
    took = seconds(work)
    came = connection.llen("rq:queue:default") + connection.llen("celery")
    assert came == count, f"{came} jobs came of {count}"
    return took


def _enqueue_many(connection: Redis, count: int) -> Callable[[], object]:
    queue = Queue(connection=connection)

    def work() -> None:
        for start in range(0, count, 1000):
            numbers = range(start, min(start + 1000, count))
            queue.enqueue_many(
                [Queue.prepare_data(math.floor, args=(number,)) for number in numbers]
            )

    return work


def _rq_scheduler(connection: Redis, count: int) -> Callable[[], object]:
    scheduler = importlib.import_module("rq_scheduler").Scheduler(connection=connection)
    past = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)
    for number in range(count):
        scheduler.schedule(past, math.floor, args=[number], interval=60, id=f"event-{number}")
    work: Callable[[], object] = scheduler.enqueue_jobs
    return work


def _apscheduler(connection: Redis, count: int) -> Callable[[], object]:
    module = importlib.import_module("apscheduler.schedulers.background")
    # Its jobs run in the thread of the scheduler: fewer threads are faster here.
    scheduler: Any = module.BackgroundScheduler(
        executors={"default": {"type": "debug"}},
        # By default it drops what it comes to more than a second late.
        job_defaults={"misfire_grace_time": None},
        timezone="UTC",
    )
    queue = Queue(connection=connection)
    for number in range(count):
        scheduler.add_job(queue.enqueue, "cron", args=(math.floor, number), minute="*")
    scheduler.start(paused=True)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC))

    def work() -> None:
        scheduler.state = 1
        scheduler._process_jobs()
        scheduler.shutdown()

    return work


def _celery_beat(connection: Redis, count: int) -> Callable[[], object]:
    app = _celery(connection)
    scheduler = importlib.import_module("celery.beat").Scheduler(app=app)
    scheduler.merge_inplace(
        {
            f"event {number}": {"task": "math.floor", "schedule": 60.0, "args": (number,)}
            for number in range(count)
        }
    )
    for entry in scheduler.schedule.values():
        entry.last_run_at -= timedelta(minutes=2)

    def work() -> None:
        # One tick sends one message.
        for _ in range(count):
            scheduler.tick()

    return work


def _redbeat(connection: Redis, count: int) -> Callable[[], object]:
    module = importlib.import_module("redbeat")
    every_minute = importlib.import_module("celery.schedules").schedule(60.0)
    app = _celery(connection)
    for number in range(count):
        entry = module.RedBeatSchedulerEntry(
            f"event {number}", "math.floor", every_minute, args=[number], app=app
        )
        entry.last_run_at = None
        entry.save()
    work: Callable[[], object] = module.RedBeatScheduler(app, lazy=True).tick
    return work


def _celery(connection: Redis) -> Any:
    port = connection.connection_pool.connection_kwargs["port"]
    url = f"redis://127.0.0.1:{port}/0"
    app = importlib.import_module("celery").Celery("bench", broker=url)
    app.conf.update(timezone="UTC", redbeat_redis_url=url, redbeat_lock_key=None)
    return app


OTHERS: dict[str, Prepare] = {
    "Queue.enqueue_many, 1,000 at a time": _enqueue_many,
    "rq-scheduler": _rq_scheduler,
    "APScheduler calling queue.enqueue": _apscheduler,
    "Celery beat": _celery_beat,
    "RedBeat": _redbeat,
}
