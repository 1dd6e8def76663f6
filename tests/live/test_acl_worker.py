"""The worker as the user that docs/acl.md makes for it."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, RateLimit, Repeat, Retry
from rq.command import send_stop_job_command
from rq.group import Group
from rq.job import Job, JobStatus
from rq.utils import as_text

from clock import keys
from clock.jobs import enqueue
from tests.live.conftest import StartWorker
from tests.live.granted import APP, address, assert_exact, grant, lines_of
from tests.live.recording import recorded
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import enqueue_occurrence

NOTICED_WITHIN = 40
"""Seconds within which the jobs of killed workers are found."""

MORE = """
import time
from clock.jobs import track
from work import note


def say(text):
    note(text)


def call_back(job, connection, result):
    note("called back")


def tell():
    for _ in track(range(3)):
        pass


def limited():
    time.sleep(0.3)
    note("limited")
"""

OPTIONAL = ("client|info", "client|setinfo", "client|setname", "client|tracking", "info", "scan")
"""Commands that the page says may be withheld."""

QUEUES = (["default"], ["default", "low"])
"""Those of two workers: one with a single queue takes jobs by another command."""


@pytest.mark.long
def test_workers_work_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    (alone,) = lines_of("worker")
    grant(redis, alone)
    (work_folder / "more.py").write_text(MORE)

    def start(*arguments: str) -> WorkerProcess:
        return start_worker(
            *arguments, url=address(server.url, "worker"), CLOCK_APP=APP, CLOCK_GRACE="1"
        )

    def noted(text: str) -> int:
        file = work_folder / "noted.txt"
        return file.read_text().count(text) if file.exists() else 0

    enqueue_occurrence(redis, "nap", 60, retry=Retry(max=1))
    enqueue_occurrence(redis, "nap", 60, on_failure=Callback("work.mourn"))
    with recorded(redis) as death:
        dying = [start(*queues) for queues in QUEUES]
        wait_for("both have a job", lambda: noted("begin") == 2)
        for worker in dying:
            worker.kill()

    stopped = _enqueue_all(redis)
    with recorded(redis, "publish") as life:
        workers = [start(*queues) for queues in QUEUES]
        workers.append(start("--name", dying[0].name, "low"))
        wait_for("limited jobs run", lambda: noted("limited") == 3)
        wait_for("the grouped jobs run", lambda: noted("grouped") == 4)
        wait_for("the delayed job runs", lambda: noted("delayed"))
        wait_for("the repeated job runs again", lambda: noted("repeated") == 2)
        wait_for("it is stopped", lambda: _stop(redis, stopped))
        wait_for(
            "its callback runs", lambda: noted("mourned-AbandonedJobError"), within=NOTICED_WITHIN
        )
        wait_for("what was left runs", lambda: noted("left"), within=NOTICED_WITHIN)
        wait_for("the other runs again", lambda: noted("begin") == 4, within=NOTICED_WITHIN)
        wait_for("a heartbeat of a job that runs", lambda: life.saw("HSETNX"))
        for worker in workers:
            worker.wait_until_listening()
            worker.stop()
        for queues in QUEUES:
            start("--burst", *queues).process.wait(timeout=15)
    assert noted("called back") == 1

    assert_exact(alone, death, life)


def test_a_worker_runs_jobs_without_the_commands_the_docs_call_optional(
    server: Server, redis: Redis, start_worker: StartWorker
) -> None:
    (alone,) = lines_of("worker")
    grant(redis, alone, alone._replace(rules=[f"-{command}" for command in OPTIONAL]))
    worker = start_worker(url=address(server.url, "worker"), CLOCK_APP=APP)
    worker.wait_until_listening()
    job = enqueue_occurrence(redis, "add", 1, 2)
    wait_for("the job runs", lambda: job.get_status() == "finished")
    owner = as_text(redis.hget(f"rq:worker:{worker.name}", keys.OWNER) or "")
    wait_for("the worker sends heartbeats", lambda: redis.exists(keys.heartbeat(owner)))
    assert not worker.lines("server away")
    worker.stop()


def test_a_worker_that_may_not_move_delayed_jobs_says_so_once_and_goes_on(
    server: Server, redis: Redis, start_worker: StartWorker
) -> None:
    (alone,) = lines_of("worker")
    grant(redis, alone, alone._replace(rules=["-zrangebyscore"]))
    worker = start_worker(url=address(server.url, "worker"), CLOCK_APP=APP)
    job = enqueue_occurrence(redis, "add", 1, 2)
    wait_for("the job runs", lambda: job.get_status() == "finished")
    wait_for("it tries again", lambda: _denials(redis, "zrangebyscore") >= 3)
    (line,) = worker.lines("trouble")
    assert "cannot move delayed jobs: " in line
    assert "zrangebyscore" in line
    worker.stop()


def _denials(redis: Redis, command: str) -> int:
    entries: Any = redis.acl_log()
    return sum(int(entry["count"]) for entry in entries if entry["object"] == command)


def _enqueue_all(redis: Redis) -> Job:
    """A job of each kind; returns one that runs for a minute unless it is stopped."""
    queue = Queue(connection=redis)
    enqueue_occurrence(redis, "add", 1, 2, result_ttl=60)
    enqueue_occurrence(redis, "fail", failure_ttl=60)
    enqueue_occurrence(redis, "fail", retry=Retry(max=1))
    enqueue_occurrence(redis, "again", retry=Retry(max=1))
    for task in ("say", "fail_after"):
        enqueue_occurrence(redis, task, "a word")
    for task in ("skip", "abort", "kill_itself"):
        enqueue_occurrence(redis, task)
    queue.enqueue("work.add", 1, 2, on_success=Callback("more.call_back"), result_ttl=0)
    queue.enqueue("more.say", "dependent", depends_on=queue.enqueue("more.tell"))
    enqueue("more.limited", unique="unfinished", max_running=1, expires="1h", connection=redis)
    for _ in range(2):
        enqueue("more.limited", max_running=1, connection=redis)
    for _ in range(3):
        queue.enqueue("more.say", "rate", rate_limit=RateLimit("heavy", 1))
    queue.enqueue_in(timedelta(seconds=1), "more.say", "delayed")
    queue.enqueue("more.say", "repeated", repeat=Repeat(times=1, interval=1))
    enqueue_occurrence(redis, "fail", retry=Retry(max=1, interval=1))
    grouped = [Queue.prepare_data("more.say", ["grouped"]) for _ in range(4)]
    Group.create(connection=redis).enqueue_many(queue, grouped)
    # What a worker left that died between two commands, and one of RQ's own that died with a job.
    left = queue.enqueue("more.say", "left")
    queue.remove(left)
    redis.rpush("rq:queue:default:intermediate", "gone", left.id)
    redis.set(f"rq:queue:default:intermediate:first_seen:{left.id}", time.time() - 120)
    lost = queue.enqueue("more.say", "lost", rate_limit=RateLimit("light", 1))
    queue.remove(lost)
    lost.set_status(JobStatus.STARTED)
    redis.zadd("rq:wip:default", {f"{lost.id}:gone": 1})
    # What is on no queue, though it was enqueued before what is.
    unheeded = Queue("unheeded", connection=redis)
    unheeded.remove(unheeded.enqueue("more.say", "nothing"))
    unheeded.enqueue("more.say", "nothing")
    return queue.enqueue("work.nap", 61)


def _stop(redis: Redis, job: Job) -> bool:
    if job.get_status() == "started":
        send_stop_job_command(redis, job.id)
    return job.get_status() == "stopped"
