"""A storm: workers, the processes that fork their children, and children, killed at random while
they work off a crowd of jobs.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Callback, Queue, Retry
from rq.job import Dependency, Job
from rq.utils import as_text

from benchmarks.faults.ends import Policy, judge
from clock import keys
from clock.runs.records import read_runs
from clock.runs.run import Run, RunOutcome
from tests.live.processes import children_of
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess, is_alive

LIMIT = 2
"""How many limited jobs may run at once."""

RETRIES = 9

EVENTS = 40
"""Of each kind, so that the record of no event is full: it keeps 1,000 runs."""

TASKS = f"""
import fcntl
import os
import time
from pathlib import Path

from rq import get_current_job


def note(text):
    line = f"{{text}} {{get_current_job().id}}\\n".encode()
    descriptor = os.open("runs.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line)
    os.close(descriptor)


def lock(name):
    # The kernel lets go of it when this process dies, and not before.
    descriptor = os.open(f"locks/{{name}}", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def run(seconds=0.0, fails=0):
    job = get_current_job()
    note("begin")
    held = lock(job.id)
    if held is None:
        note("twice")
        return
    try:
        time.sleep(seconds)
        if Path("runs.txt").read_text().count(f"raise {{job.id}}\\n") < fails:
            note("raise")
            raise ValueError("as often as it should")
        note("end")
    finally:
        os.close(held)


def limited(seconds):
    places = [lock(f"place-{{number}}") for number in range({LIMIT})]
    if all(place is None for place in places):
        note("exceeded")
    for place in [place for place in places if place is not None][1:]:
        os.close(place)
    try:
        run(seconds)
    finally:
        for place in [place for place in places if place is not None][:1]:
            os.close(place)


def called(job, connection, result, *more):
    pass
"""

SETTINGS = f"MAX_RUNNING = {{'storm_tasks.limited': {LIMIT}}}\nPROCESSES = 2\n"

KINDS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "quick": ("run", (), {"retry": Retry(RETRIES)}),
    "once": ("run", (0.03,), {}),
    "long": ("run", (0.2,), {"retry": Retry(RETRIES)}),
    "flaky": ("run", (0.01, 2), {"retry": Retry(RETRIES)}),
    "broken": ("run", (0.0, 99), {"retry": Retry(2)}),
    "called": ("run", (), {"retry": Retry(RETRIES), "on_success": Callback("storm_tasks.called")}),
    "first": ("run", (), {"retry": Retry(RETRIES)}),
    "then": ("run", (), {"retry": Retry(RETRIES)}),
    "limited": ("limited", (0.02,), {"retry": Retry(RETRIES)}),
}
"""Task, its arguments and the options of its job."""

WEIGHTS = {
    "quick": 36,
    "once": 20,
    "long": 10,
    "flaky": 8,
    "broken": 4,
    "called": 8,
    "first": 8,
    "limited": 6,
}
"""How many of a hundred jobs are of a kind. A job that depends on it follows each ``first``."""

StartWorker = Callable[[], WorkerProcess]


def prepare(folder: Path) -> None:
    """Write the tasks and the settings of the workers into ``folder``."""
    (folder / "storm_tasks.py").write_text(TASKS)
    (folder / "settings.py").write_text(SETTINGS)
    (folder / "locks").mkdir()
    (folder / "runs.txt").touch()


def enqueue_crowd(redis: Redis, count: int, queues: Iterable[str], chance: random.Random) -> int:
    """Put ``count`` jobs of all kinds on ``queues``, the id of each begins with its kind; how many
    jobs there are with those that depend on them.
    """
    targets = [Queue(name, connection=redis) for name in queues]
    kinds = chance.choices([*WEIGHTS], [*WEIGHTS.values()], k=count)
    for number, kind in enumerate(kinds):
        queue = targets[number % len(targets)]
        job = _enqueue(queue, kind, number)
        if kind == "first":
            _enqueue(queue, "then", number, depends_on=Dependency([job], allow_failure=True))
    return count + kinds.count("first")


def _enqueue(queue: Queue, kind: str, number: int, **more: Any) -> Job:
    task, arguments, options = KINDS[kind]
    meta = {
        "clock": {
            "event": f"{kind}-{number % EVENTS}",
            "scheduled_at": "2026-11-21T03:00:00Z",
            "previous_scheduled_at": None,
            "enqueued_at": "2026-11-21T03:00:00.002000Z",
        }
    }
    return queue.enqueue(
        f"storm_tasks.{task}",
        args=arguments,
        job_id=f"{kind}-{number}",
        meta=meta,
        failure_ttl=3600,
        result_ttl=3600,
        **options,
        **more,
    )


class Storm:
    """Kills processes of ``workers``, and starts another worker for each that ends."""

    def __init__(self, redis: Redis, start: StartWorker, count: int, chance: random.Random) -> None:
        self._redis = redis
        self._start = start
        self._chance = chance
        self._workers = [start() for _ in range(count)]
        self.kills: Counter[str] = Counter()

    def rage(self, seconds: float, every: float) -> None:
        """Kill a process ``every`` seconds or so, for as many ``seconds``."""
        for worker in self._workers:
            worker.wait_until_listening()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self._chance.uniform(0.5, 1.5) * every)
            worker = self._chance.choice(self._workers)
            self._kill(worker)
            self._replace_ended()

    def stop(self) -> None:
        """Stop the workers that are left, gently."""
        for worker in self._workers:
            worker.stop()

    def _kill(self, worker: WorkerProcess) -> None:
        parent = worker.process.pid
        servers = children_of(parent)
        children = [child for server in servers for child in children_of(server)]
        what = self._chance.choices(["worker", "fork server", "child"], [2, 1, 7])[0]
        victims = {"worker": [parent], "fork server": servers, "child": children}[what]
        if not victims:
            return
        self.kills[what] += 1
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice(victims), signal.SIGKILL)
        if what != "child":
            worker.process.wait(timeout=20)
            wait_for(
                "its processes die with it",
                lambda: not any(is_alive(pid) for pid in (*servers, *children)),
            )

    def _replace_ended(self) -> None:
        for worker in [worker for worker in self._workers if worker.process.poll() is not None]:
            self._workers.remove(worker)
            self._workers.append(self._start())
            # As if its last sign of life had been long ago: all its processes are dead.
            signs = [*self._redis.scan_iter(keys.heartbeat(f"{worker.name}.*"))]
            if signs:
                self._redis.delete(*signs)


def wait_for_ends(redis: Redis, count: int, queues: Iterable[str], *, within: float) -> None:
    """Wait until ``count`` jobs of the ``queues`` have finished or failed."""
    registries = [f"rq:{kind}:{name}" for name in queues for kind in ("finished", "failed")]
    wait_for(
        f"all {count} jobs end",
        lambda: sum(redis.zcard(registry) for registry in registries) == count,
        within=within,
        pause=0.2,
    )


def check(redis: Redis, folder: Path, count: int, queues: Iterable[str]) -> int:
    """Assert of all ``count`` jobs that they ended as their policy says; how many runs ended
    in the death of a process.
    """
    lines = [line.split() for line in (folder / "runs.txt").read_text().splitlines()]
    notes = Counter((text, job) for text, job in lines)
    assert not [job for text, job in lines if text in {"twice", "exceeded"}]
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    for kind in KINDS:
        for number in range(EVENTS):
            for run in read_runs(redis, "clock", f"{kind}-{number}"):
                runs[run.job].append(run)
    ids = {key.decode().removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*", count=1000)}
    jobs = [job for job in Job.fetch_many(sorted(ids), connection=redis) if job is not None]
    assert len(jobs) == count
    for job in jobs:
        _check_job(job, sorted(runs[job.id], key=lambda run: run.attempt), notes)
    _check_nothing_is_left(redis, queues, jobs)
    return sum(
        run.outcome is RunOutcome.ABANDONED or run.error == "SIGKILL"
        for of_job in runs.values()
        for run in of_job
    )


def _check_job(job: Job, runs: list[Run], notes: Counter[tuple[str, str]]) -> None:
    kind = job.id.partition("-")[0]
    retries = KINDS[kind][2].get("retry", Retry(1))
    policy = Policy(retries=0 if kind == "once" else retries.max, is_broken=kind == "broken")
    assert [*judge(job, runs, notes, policy)] == [], (job.id, runs)


def _check_nothing_is_left(redis: Redis, queues: Iterable[str], jobs: list[Job]) -> None:
    finished: set[str] = set()
    failed: set[str] = set()
    for name in queues:
        for kind in ("wip", "scheduled", "deferred", "canceled"):
            assert redis.zcard(f"rq:{kind}:{name}") == 0, (kind, name)
        assert redis.llen(f"rq:queue:{name}") == 0
        finished |= _members(redis, f"rq:finished:{name}")
        failed |= _members(redis, f"rq:failed:{name}")
    assert finished == {job.id for job in jobs if job.is_finished}
    assert failed == {job.id for job in jobs if job.is_failed}
    for pattern in (
        "rq:execution:*",
        "rq:executions:*",
        "rq:worker:*:executions",
        "clock:*:held:*",
    ):
        assert [*redis.scan_iter(pattern, count=1000)] == []


def _members(redis: Redis, key: str) -> set[str]:
    return {as_text(member) for member in redis.zrange(key, 0, -1)}  # type: ignore[arg-type]
