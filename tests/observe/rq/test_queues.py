"""Queues, workers and jobs, read without a change to anything."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Worker

from clock.connection import rq_keys
from clock.errors import CursorError
from clock.ledger.pauses import Pause
from clock.ledger.queue_pauses import pause_queue
from clock.observe.rq.cursor import Cursor, read_cursor
from clock.observe.rq.entries import Stage
from clock.observe.rq.job_search import JobPage, find_jobs
from clock.observe.rq.jobs import read_details
from clock.observe.rq.queues import QueueState, read_queues
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from tests.jobs.working import start, work_off
from tests.observe.rq.round_trips import count_round_trips


def test_a_queue_says_how_many_wait_and_since_when(redis: Redis) -> None:
    queue = Queue("io", connection=redis)
    before = time.time()
    for number in range(3):
        queue.enqueue("tests.jobs.working.say", number)
    Worker(["io"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    (state,) = read_queues(redis, time.time())
    assert (state.name, state.waiting, state.workers, state.is_broken) == ("io", 3, 1, False)
    assert state.head is not None
    assert before - 0.001 <= state.head <= time.time()
    assert state.age(state.head + 5) == 5


def test_the_age_is_that_of_the_first_id_that_still_has_a_job(redis: Redis) -> None:
    queue = Queue("io", connection=redis)
    gone = queue.enqueue("tests.jobs.working.say")
    there = queue.enqueue("tests.jobs.working.say")
    redis.delete(gone.key)
    (state,) = read_queues(redis, time.time())
    assert there.enqueued_at is not None
    assert state.head == pytest.approx(there.enqueued_at.timestamp(), abs=0.001)


def test_a_key_that_holds_no_queue_is_broken_and_the_others_are_read(redis: Redis) -> None:
    Queue("io", connection=redis).enqueue("tests.jobs.working.say")
    redis.set("rq:queue:bad", "text")
    redis.sadd("rq:queues", "rq:queue:bad")
    bad, io = read_queues(redis, time.time())
    assert (bad.is_broken, bad.waiting, io.waiting) == (True, 0, 1)


def test_a_queue_that_nobody_filled_yet_is_empty(redis: Redis) -> None:
    (state,) = read_queues(redis, 0.0, ["new"])
    assert state == QueueState(
        name="new", waiting=0, head=None, started=0, scheduled=0, deferred=0, finished=0, failed=0,
        canceled=0, ready=0, rate_limited=0, workers=0, is_broken=False,
        paused=None,
    )  # fmt: skip


def test_a_paused_queue_says_since_when_and_why(redis: Redis) -> None:
    why = Pause(until=None, reason="the shop moves", by="ann", since=1_800_000_000)
    pause_queue(redis, "default", why)
    redis.hset(rq_keys.PAUSED, "damaged", "x")
    damaged, default = sorted(read_queues(redis, 0.0), key=lambda queue: queue.name == "default")
    assert default.paused == why
    # Its workers only look whether there is an entry.
    assert damaged.paused is not None


def test_queues_take_three_round_trips_whatever_their_number(redis: Redis) -> None:
    trips = []
    for number in (1, 40):
        for name in range(number):
            Queue(f"q{name}", connection=redis).enqueue("tests.jobs.working.say")
        trips.append(count_round_trips(redis, lambda: read_queues(redis, time.time())))
    for limit in range(3):
        redis.sadd("rq:rl-keys", f"limit-{limit}")
        redis.zadd(f"rq:rl:limit-{limit}:rate_limited", {"nobody": 1})
    trips.append(count_round_trips(redis, lambda: read_queues(redis, time.time())))
    assert trips == [3, 3, 3]


def test_a_queue_says_how_many_jobs_wait_for_their_rate_limit_or_are_ready(redis: Redis) -> None:
    _fill(redis, Stage.RATE_LIMITED, 3)
    Queue("other", connection=redis).enqueue("tests.jobs.working.say")
    redis.zadd("rq:ready:default", {"job-0": 1})
    default, other = read_queues(redis, time.time())
    assert (default.rate_limited, default.ready) == (3, 1)
    assert (other.rate_limited, other.ready) == (0, 0)


@pytest.mark.parametrize(
    "stage",
    [
        Stage.QUEUED, Stage.FINISHED, Stage.FAILED, Stage.SCHEDULED, Stage.RATE_LIMITED,
        Stage.READY,
    ],
)  # fmt: skip
def test_pages_show_every_job_once(redis: Redis, stage: Stage) -> None:
    ids = _fill(redis, stage, 7)
    pages = _pages(redis, stage, limit=3)
    assert [len(page.jobs) for page in pages] == [3, 3, 1]
    assert {page.total for page in pages} == {7}
    assert sorted(job.job.id for page in pages for job in page.jobs) == sorted(ids)


def test_a_job_that_waits_is_not_left_out_when_others_leave_between_two_pages(
    redis: Redis,
) -> None:
    ids = _fill(redis, Stage.QUEUED, 7)
    first = find_jobs(redis, ["default"], Stage.QUEUED, now=time.time(), limit=3)
    redis.lpop("rq:queue:default", 2)
    second = find_jobs(
        redis, ["default"], Stage.QUEUED, now=time.time(), limit=3, cursor=first.next
    )
    assert [job.job.id for job in second.jobs] == ids[3:6]
    redis.lpop("rq:queue:default", 2)
    again = find_jobs(redis, ["default"], Stage.QUEUED, now=time.time(), limit=9, cursor=first.next)
    assert [job.job.id for job in again.jobs] == ids[4:]


def test_failed_jobs_are_not_left_out_when_the_last_one_seen_is_gone(redis: Redis) -> None:
    _fill(redis, Stage.FAILED, 6)
    first = find_jobs(redis, ["default"], Stage.FAILED, now=time.time(), limit=2)
    redis.zrem("rq:failed:default", first.jobs[-1].job.id)
    rest = find_jobs(redis, ["default"], Stage.FAILED, now=time.time(), limit=9, cursor=first.next)
    assert len({job.job.id for job in rest.jobs} - {first.jobs[0].job.id}) == 4


def test_what_has_expired_is_neither_shown_nor_counted_nor_removed(redis: Redis) -> None:
    _fill(redis, Stage.FAILED, 3)
    far = time.time() + 400 * 86_400
    page = find_jobs(redis, ["default"], Stage.FAILED, now=far)
    assert (page.jobs, page.total, page.next) == ((), 0, None)
    assert read_queues(redis, far)[0].failed == 0
    assert redis.zcard("rq:failed:default") == 3


def test_a_job_is_described_without_its_arguments_and_without_running_anything(
    redis: Redis,
) -> None:
    job = Queue("io", connection=redis).enqueue("some.module.nobody.has", "secret", b={"c": [1]})
    details = read_details(redis, job.id)
    assert details is not None
    assert (details.summary.task, details.summary.status) == ("some.module.nobody.has", "queued")
    assert "secret" not in repr(details.summary)
    assert details.arguments == (("secret",), {"b": {"c": [1]}})


def test_arguments_that_would_run_something_are_not_read(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say", _Trap())
    details = read_details(redis, job.id)
    assert details is not None
    assert (details.summary.task, details.arguments) == ("tests.jobs.working.say", None)


def test_json_is_read_too(redis: Redis) -> None:
    job = Queue(connection=redis, serializer="json").enqueue("tests.jobs.working.say", [1])
    redis.hset(job.key, "meta", json.dumps({"clock": {"event": "e", "scheduled_at": "x"}}))
    details = read_details(redis, job.id)
    assert details is not None
    assert (details.summary.task, details.summary.event) == ("tests.jobs.working.say", "e")
    assert details.arguments == ([[1]], {})


def test_a_failed_job_says_its_error_and_an_unknown_one_is_none(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.fail")
    work_off(redis)
    details = read_details(redis, job.id)
    assert details is not None
    assert details.error is not None
    assert "ValueError: no such feed" in details.error
    assert read_details(redis, "nobody") is None


def test_what_runs_is_read_with_its_progress(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    start(redis, job.id)
    progress: dict[Any, Any] = {"done": 3, "total": 4, "message": "three", "at": 5.0}
    redis.hset(f"clock:progress:{job.id}", mapping=progress)
    (running,) = read_running(redis)
    assert (running.job.id, running.job.status) == (job.id, "started")
    assert running.progress is not None
    assert (running.progress.fraction, running.progress.message) == (0.75, "three")
    assert running.heartbeat == pytest.approx(time.time(), abs=5)


def test_workers_say_where_they_are_and_what_they_do(redis: Redis) -> None:
    worker = Worker(["io", "default"], connection=redis, name="one")
    worker.register_birth()  # type: ignore[no-untyped-call]
    dead = Worker(["io"], connection=redis, name="two")
    dead.register_birth()  # type: ignore[no-untyped-call]
    redis.delete(dead.key)
    (state,) = read_workers(redis)
    assert (state.name, state.queues, state.job) == ("one", ("io", "default"), None)
    assert state.started == pytest.approx(time.time(), abs=5)
    assert redis.sismember("rq:workers", dead.key)


def test_a_worker_says_its_job_as_the_rq_of_its_host_does(redis: Redis) -> None:
    for name in ("two", "three", "heir", "idle"):
        Worker(["io"], connection=redis, name=name).register_birth()  # type: ignore[no-untyped-call]
        redis.hset(f"rq:worker:{name}", "state", "idle" if name == "idle" else "busy")
    redis.hset("rq:worker:two", "current_job", "a")
    redis.sadd("rq:worker:three:executions", "b:2")
    redis.sadd("rq:worker:heir:executions", "gone:1", "c:3")
    redis.sadd("rq:worker:idle:executions", "gone:1")
    redis.hset("rq:execution:c:3", "last_heartbeat", "1")
    jobs = {worker.name: worker.job for worker in read_workers(redis)}
    assert jobs == {"two": "a", "three": "b", "heir": "c", "idle": None}


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "a" * 3000, str(Cursor(float("nan"), "a"))])
def test_an_invalid_cursor_is_refused(redis: Redis, text: str) -> None:
    with pytest.raises(CursorError):
        find_jobs(redis, ["default"], Stage.FAILED, now=0, cursor=text)


@pytest.mark.parametrize("score", [0.0, 5, 1795284000.123456, float("inf")])
def test_a_cursor_is_read_as_it_was_written(score: float) -> None:
    assert read_cursor(str(Cursor(score, "a-b:c"))) == (score, "a-b:c", "")


class _Trap:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was run",))


def _fill(redis: Redis, stage: Stage, count: int) -> list[str]:
    queue = Queue(connection=redis)
    task = "tests.jobs.working." + ("fail" if stage is Stage.FAILED else "say")
    ids = [queue.enqueue(task, job_id=f"job-{number}").id for number in range(count)]
    if stage in {Stage.FINISHED, Stage.FAILED}:
        work_off(redis)
    elif stage is Stage.SCHEDULED:
        redis.delete(queue.key)
        redis.zadd("rq:scheduled:default", dict.fromkeys(ids, 5))
    elif stage is Stage.READY:
        redis.zadd("rq:ready:default", dict.fromkeys(ids, 5))
    elif stage is Stage.RATE_LIMITED:
        for limit in (b"one", b"two"):
            redis.sadd("rq:rl-keys", limit)
        redis.zadd("rq:rl:one:rate_limited", dict.fromkeys(ids[::2], 5))
        redis.zadd("rq:rl:two:rate_limited", dict.fromkeys(ids[1::2], 5))
    return ids


def _pages(redis: Redis, stage: Stage, limit: int) -> list[JobPage]:
    pages = [find_jobs(redis, ["default"], stage, now=time.time(), limit=limit)]
    while (cursor := pages[-1].next) is not None:
        pages.append(
            find_jobs(redis, ["default"], stage, now=time.time(), limit=limit, cursor=cursor)
        )
    return pages
