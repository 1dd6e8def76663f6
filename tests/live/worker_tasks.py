"""Tasks for workers under test, and jobs of them as a clock enqueues them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job

WORK = """
import os
import signal
import time

from clock.jobs import Abort, Retry, Skip
from clock.worker import Stopping


def worker():
    # The parent of the process that forked this one.
    with open(f"/proc/{os.getppid()}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def note(text):
    with open("noted.txt", "a") as file:
        file.write(f"{text} {os.getpid()} {worker()} {time.time()}\\n")


def nap(seconds):
    note("begin")
    time.sleep(seconds)
    note("end")
    return "slept"


def tidy():
    note("begin")
    try:
        time.sleep(60)
    except Stopping:
        note("tidied")
    return "tidied"


def deaf():
    note("begin")
    while True:
        try:
            time.sleep(60)
        except Stopping:
            note("heard")


def add(a, b):
    return a + b


def fail():
    raise ValueError("no")


def say(*words):
    for word in words:
        print(word)


def fail_after(word):
    print(word, end="")
    raise ValueError("no")


def fail_once():
    note("begin")
    if len(open("noted.txt").readlines()) == 1:
        raise ValueError("the first try")


def skip():
    raise Skip("nothing new")


def abort():
    raise Abort("no use")


def again():
    note("again")
    raise Retry(reason="not yet")


def once_more():
    note("begin")
    if len(open("noted.txt").readlines()) == 1:
        raise Retry(in_=0, reason="not yet")
    return "done"


def kill_worker():
    note("begin")
    os.kill(worker(), signal.SIGKILL)
    time.sleep(60)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def mourn(job, connection, kind, error, trace):
    note(f"mourned-{kind.__name__}")
"""

EVENT = "nightly"

Enqueue = Callable[..., Job]

SCHEDULED = "2026-11-21T03:00:00Z"
SCHEDULED_AT = 1795230000


def enqueue_occurrence(redis: Redis, task: str, *args: Any, **options: Any) -> Job:
    """A job of ``work.<task>`` with the meta of an occurrence of ``EVENT``."""
    meta = {
        "clock": {
            "event": EVENT,
            "scheduled_at": SCHEDULED,
            "previous_scheduled_at": None,
            "enqueued_at": "2026-11-21T03:00:00.002000Z",
        }
    }
    queue = Queue(options.pop("queue", "default"), connection=redis)
    return queue.enqueue(f"work.{task}", args=args, meta=meta, **options)
