"""An application with a past, so that the pages have something to show.

The clock's own loop claims on a wall clock that is set by hand, over the last day; what workers
would have recorded is made up, the same every time.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from redis import Redis
from rq import Queue
from rq.job import Job

from clock import Schedule, keys, load, put
from clock.jobs.progress import Progress
from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry, Outcome
from clock.ledger.job import job_id
from clock.ledger.pauses import Pause, pause
from clock.ledger.records import read_record
from clock.ledger.sources import SourceState, write_source
from clock.ledger.trends import TrendCounts
from clock.runs.counted import CountedRun
from clock.runs.output import RunOutput, write_output
from clock.runs.records import read_runs, write_run
from clock.runs.run import Run, RunOutcome
from tests.jobs.working import start, work_off
from tests.loop.heartbeat import START, Watched
from tests.simple_worker import SimpleWorker

APP = "clock"
FAILING = "feeds.refresh"
ROW = "reports.partners"
"""A row that people edit."""
FAILED = "failed-"
"""What the ids of the failed jobs begin with; a digit follows."""
PRINTING = "printing"
"""The id of a job whose output is kept."""

TRACEBACK = """Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/urllib3/connection.py", line 534, in getresponse
    response = conn.getresponse()
               ^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.12/socket.py", line 720, in readinto
    return self._sock.recv_into(b)
           ^^^^^^^^^^^^^^^^^^^^^^^
TimeoutError: timed out

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/clock/worker/performer.py", line 88, in _perform
    return job.perform()
  File "/app/.venv/lib/python3.12/site-packages/rq/job.py", line 1290, in perform
    self._result = self._execute()
  File "/app/shop/feeds.py", line 41, in refresh
    return [fetch(address, within=10) for address in addresses]
  File "/app/shop/feeds.py", line 27, in fetch
    raise FeedError(f"{address} did not answer within {within} s") from error
shop.feeds.FeedError: https://feeds.example.org/prices.json did not answer within 10 s
"""

SCHEDULE = """
from clock import cron, defaults, every, timezone

timezone("Europe/Berlin")
defaults(queue="default")

every("5 minutes", "shop.health.ping", name="health.ping", queue="high")
every("hour", "shop.feeds.refresh", name="feeds.refresh", at="**:15", retry=3, args=[10])
every("30 minutes", "shop.mail.digest", name="mail.digest", catch_up="none")
every("day", "shop.reports.daily", name="reports.daily", at=["09:30", "18:00"])
every(cron("*/15 9-18 * * mon-fri"), "shop.orders.sync", name="orders.sync", tz="Asia/Tokyo")
every("day", "shop.backup.database", name="backup.database", at="00:00", queue="low")
every("20 minutes", "shop.stock.count", name="stock.count", queue="high")
every("month", "shop.billing.close", name="billing.close", on="last friday", at="23:30")
every("day", "shop.cleanup.carts", name="cleanup.carts", at="00:00", queue="low")
every("monday", "shop.letters.weekly", name="letters.weekly", at="00:00", enabled=False)
"""


def paint(redis: Redis, folder: Path, now: float | None = None) -> Watched:
    """Write the scene into an empty server, as of ``now`` (UTC seconds since 1970), else now.
    Returns its clock, see ``kept_alive``.
    """
    now = time.time() if now is None else now
    (folder / "schedules").mkdir()
    (folder / "schedules" / "main.py").write_text(SCHEDULE)
    with chdir(folder):
        schedule = load("schedules/main.py")
    clock = _tick(redis, schedule, now)
    # Jobs that wait since yesterday would be all that one sees.
    for queue in ("high", "low", "default"):
        redis.delete(f"rq:queue:{queue}")
    _runs(redis, schedule)
    reason = "the warehouse moves; ask Jo"
    pause(
        redis,
        APP,
        "stock.count",
        Pause(until=int(now) + 7200, reason=reason, by="jo@laptop", since=int(now) - 5400),
    )
    _jobs(redis)
    _error(redis)
    _output(redis, now)
    _actions(redis, now)
    _rows(redis)
    return clock


def _rows(redis: Redis) -> None:
    """A source of rows that people edit, and one row, which the clock has not taken over."""
    state = SourceState(
        name="console",
        file="schedules/main.py",
        path="schedules/main.py",
        line=17,
        every=30,
        is_stored=True,
        tasks=("shop.reports.*", "shop.mail.digest"),
        queues=("default", "low"),
        zone="Europe/Berlin",
    )
    write_source(redis, APP, state)
    row = {"name": ROW, "every": "sunday", "at": "02:30", "task": "shop.reports.send"}
    put(redis, row | {"args": [{"to": "ann"}], "retry": 3}, app=APP, by="jo")


@contextmanager
def kept_alive(clock: Watched) -> Iterator[None]:
    """Let ``clock`` go on while the block runs: without a tick for 15 seconds it counts as dead."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(3):
            clock.turn([time.time() - START])

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _actions(redis: Redis, now: float) -> None:
    jo = Actor(name="jo@laptop", how="shell", source="laptop")
    ann = Actor(name="ann", how="page", source="10.4.0.12")
    unknown = Actor(name="unknown", how="api", source="203.0.113.9")
    for entry in (
        Entry(at=now - 5400, actor=jo, what="pause", on="stock.count", after={"reason": "moving"}),
        Entry(at=now - 900, actor=ann, what="sign in", on=""),
        Entry(at=now - 600, actor=ann, what="run", on=FAILING, after={"job": "feeds-1"}),
        Entry(
            at=now - 60,
            actor=unknown,
            what="sign in",
            on="",
            outcome=Outcome.FAILED,
            reason="wrong credentials",
        ),
    ):
        write_entry(redis, APP, entry)


def _tick(redis: Redis, schedule: Schedule, now: float) -> Watched:
    clock = Watched(redis, schedule, now=now - 100_000, token="app-1:4711:x", app=APP)
    minute = now // 60 * 60 + 0.003
    for minutes in range(1500, -1, -1):
        # For more than an hour there was no clock.
        if not 240 < minutes < 330:
            clock.turn(minute - 60 * minutes - START - early for early in (0.9, 0))
    clock.turn([now - 1 - START])
    return clock


def _runs(redis: Redis, schedule: Schedule) -> None:
    chance = random.Random(7)  # made up, and the same every time
    runs = []
    for event in schedule.events:
        length = chance.choice([0.04, 0.3, 1.2, 9.0])
        history = read_record(redis, APP, event).history
        for number, decision in enumerate(entry for entry in history if entry.kind.is_enqueued):
            outcome, error = RunOutcome.SUCCEEDED, None
            if event == FAILING and number in {0, 1, 2, 9}:
                outcome, error = RunOutcome.FAILED, "shop.feeds.FeedError"
            begin = decision.last + 0.004 + chance.expovariate(6)
            runs.append(
                Run(
                    event=event,
                    scheduled=decision.last,
                    enqueued=decision.last + 0.003,
                    started=begin,
                    ended=begin + length * chance.lognormvariate(0, 0.4),
                    outcome=outcome,
                    error=error,
                    attempt=1,
                    worker="worker-1",
                    job=job_id(APP, event, decision.last),
                )
            )
    counts = TrendCounts(APP)
    for run in sorted(runs, key=lambda run: run.ended):
        write_run(redis, APP, run)
        CountedRun(
            queue=schedule.events[run.event].job.queue,
            event=run.event,
            outcome=run.outcome,
            ended=run.ended,
            waited=run.wait,
        ).add_to(counts)
    while counts:
        counts.take().write(redis)


def _error(redis: Redis) -> None:
    """What RQ keeps of the last failure."""
    job = read_runs(redis, APP, FAILING, 1)[0].job
    packed = b64encode(zlib.compress(TRACEBACK.encode()))
    redis.xadd(f"rq:results:{job}", {"type": "2", "exc_string": packed})


def _output(redis: Redis, now: float) -> None:
    for attempt, outcome in ((1, RunOutcome.RETRIED), (2, RunOutcome.FAILED)):
        output = RunOutput(
            job=PRINTING,
            attempt=attempt,
            event=FAILING,
            outcome=outcome,
            ended=now - 60 + attempt,
            text="connecting to the feed\n" * 40 + "x" * 300,
            written=70_000,
        )
        write_output(redis, APP, output, 2**20)


def _jobs(redis: Redis) -> None:
    queues = {name: Queue(name, connection=redis) for name in ("high", "default", "low")}
    for number in range(3):
        queues["default"].enqueue("tests.jobs.working.fail", job_id=f"{FAILED}{number}")
    queues["high"].enqueue("tests.jobs.working.say", "hello")
    work_off(redis, "default", "high")
    running = queues["default"].enqueue("tests.jobs.working.say", "busy")
    start(redis, running.id, worker="worker-1")
    _progress(redis, running)
    for _ in range(4):
        queues["low"].enqueue("tests.jobs.working.say", "later")
    worker = SimpleWorker(list(queues.values()), connection=redis, name="worker-1")
    worker.register_birth()  # type: ignore[no-untyped-call]
    worker.set_state("busy")


def _progress(redis: Redis, job: Job) -> None:
    progress = Progress  # its fields, as a task writes them
    assert {"done", "total", "message", "at"} == set(progress.__dataclass_fields__)
    redis.hset(
        keys.progress(job.id),
        mapping={"done": 420, "total": 1000, "message": "orders", "at": time.time()},
    )
