"""Failed jobs put back, and jobs deleted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.errors import NotAQueueError
from clock.jobs.requeue import Deleted, delete, delete_all, requeue, requeue_all
from clock.observe.rq.listed_job import Filter
from tests.jobs.working import start, work_off


def test_a_failed_job_put_back_is_as_rq_puts_it_back(redis: Redis) -> None:
    ours, theirs = _failed(redis, 2)
    assert requeue(redis, [ours], "default", time.time()) == [ours]
    Job.fetch(theirs, connection=redis).requeue()
    assert _comparable(redis, ours) == _comparable(redis, theirs)
    assert redis.ttl(f"rq:job:{ours}") == -1, "RQ lets it expire while it waits"
    assert redis.lrange("rq:queue:default", 0, -1) == [ours.encode(), theirs.encode()]
    assert redis.zcard("rq:failed:default") == 0


def test_a_job_put_back_twice_waits_once_and_runs_again(redis: Redis) -> None:
    (job,) = _failed(redis, 1)
    assert requeue(redis, [job, job], "default", time.time()) == [job]
    assert requeue(redis, [job], "default", time.time()) == []
    assert redis.llen("rq:queue:default") == 1
    work_off(redis)
    assert redis.zcard("rq:failed:default") == 1


def test_a_job_that_has_not_failed_is_not_put_back(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    assert requeue(redis, [job.id, "nobody"], "default", time.time()) == []
    assert redis.llen("rq:queue:default") == 1


def test_nothing_is_put_back_where_the_key_of_the_queue_holds_something_else(redis: Redis) -> None:
    (job,) = _failed(redis, 1)
    redis.set("rq:queue:default", "text")
    with pytest.raises(NotAQueueError, match="holds no queue"):
        requeue(redis, [job], "default", time.time())
    assert redis.zcard("rq:failed:default") == 1


def test_all_of_a_filter_are_put_back_and_no_other(redis: Redis) -> None:
    wanted, others = _failed(redis, 5), _failed(redis, 3, task="tests.jobs.working.missing")
    changed = requeue_all(
        redis, Filter(queue="default", task="tests.jobs.working.fail"), time.time()
    )
    assert (changed.count, changed.is_more) == (5, False)
    assert sorted(redis.lrange("rq:queue:default", 0, -1)) == sorted(map(str.encode, wanted))
    assert sorted(redis.zrange("rq:failed:default", 0, -1)) == sorted(map(str.encode, others))


def test_a_call_reports_that_more_jobs_are_left(redis: Redis) -> None:
    _failed(redis, 5)
    changed = delete_all(redis, Filter(queue="default"), time.time(), most=3)
    assert (changed.count, changed.is_more) == (3, True)
    assert redis.zcard("rq:failed:default") == 2


@pytest.mark.parametrize("number", [0, 1, 250])
def test_all_of_a_queue_are_deleted_with_all_that_is_kept_of_them(
    redis: Redis, number: int
) -> None:
    _failed(redis, number)
    changed = delete_all(redis, Filter(queue="default"), time.time())
    assert (changed.count, changed.is_more) == (number, False)
    assert not list(redis.scan_iter("rq:job:*")) + list(redis.scan_iter("rq:results:*"))
    assert redis.zcard("rq:failed:default") == 0


def test_a_job_that_waits_is_deleted_with_its_place(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    assert delete(redis, job.id) is Deleted.GONE
    assert not redis.exists(job.key, "rq:queue:default")
    assert delete(redis, job.id) is Deleted.UNKNOWN


def test_a_job_that_runs_is_not_deleted(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    start(redis, job.id)
    assert delete(redis, job.id) is Deleted.STARTED
    assert redis.exists(job.key)


def test_a_job_that_another_waits_for_is_not_deleted(redis: Redis) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue("tests.jobs.working.say")
    second = queue.enqueue("tests.jobs.working.say", depends_on=first)
    assert delete(redis, first.id) is Deleted.NEEDED
    assert delete(redis, second.id) is Deleted.GONE
    assert redis.keys(f"*{second.id}*") == []
    assert delete(redis, first.id) is Deleted.GONE


def _failed(redis: Redis, number: int, task: str = "tests.jobs.working.fail") -> list[str]:
    queue = Queue(connection=redis)
    ids = [queue.enqueue(task, failure_ttl=1000).id for _ in range(number)]
    work_off(redis)
    return ids


def _comparable(redis: Redis, job: str) -> dict[Any, Any]:
    fields = redis.hgetall(f"rq:job:{job}")
    instants = {b"created_at", b"enqueued_at", b"last_heartbeat"}
    assert all(fields[name] for name in instants)
    # RQ writes an empty error, compressed; nobody reads it.
    left_out = instants | {b"exc_info"}
    return {name: value for name, value in fields.items() if name not in left_out}
