"""What becomes of an abandoned job, decided on a real server."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.executions import Execution
from rq.job import Job, JobStatus

from clock import keys
from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from clock.worker.abandoned import Abandoned, find_abandoned
from clock.worker.recovery import Recovery, RecoveryOutcome, recover

NOW = time.time()

DEAD = "w1.token"

META = {"clock": {"event": "e", "scheduled_at": "2026-11-21T03:00:00Z"}}


def begun(redis: Redis, *, owner: str | None = DEAD, ttl: int = 90, **options: Any) -> Job:
    """A job that a worker took from its queue and started."""
    queue = Queue("default", connection=redis)
    job = queue.enqueue("work.x", meta=META, **options)
    taken = Queue.dequeue_any([queue], None, connection=redis)
    assert taken is not None
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, ttl, pipeline)
        job.prepare_for_execution("w1", pipeline)
        if owner is not None:
            pipeline.hset(execution.key, keys.OWNER, owner)
        pipeline.execute()
    redis.delete("rq:queue:default:intermediate")
    return job


def found_in(redis: Redis, now: float = NOW) -> list[Abandoned]:
    return find_abandoned(redis, ["default"], now)


def taken(redis: Redis, found: Abandoned) -> Recovery | None:
    queue = Queue(found.queue, connection=redis)
    return recover(found, redis, queue=queue, app="app", now=datetime.fromtimestamp(NOW, UTC))


def test_a_job_is_abandoned_once_its_worker_gives_no_sign_of_life(redis: Redis) -> None:
    job = begun(redis)
    redis.set(keys.heartbeat(DEAD), "here")
    assert found_in(redis) == []
    redis.delete(keys.heartbeat(DEAD))
    (found,) = found_in(redis)
    assert (found.job, found.queue, found.worker) == (job.id, "default", "w1")


def test_a_plain_worker_s_job_is_abandoned_once_rq_says_so(redis: Redis) -> None:
    begun(redis, owner=None)
    assert found_in(redis) == []
    assert len(found_in(redis, NOW + 10_000)) == 1


def test_one_with_retries_is_put_back_and_has_one_less(redis: Redis) -> None:
    job = begun(redis, retry=Retry(2))
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert (recovery.outcome, recovery.deaths) == (RecoveryOutcome.PUT_BACK, 1)
    again = Job.fetch(job.id, connection=redis)
    assert again.get_status() == JobStatus.QUEUED
    assert (again.retries_left, again.number_of_retries) == (1, 1)
    assert again.meta == META
    assert Queue("default", connection=redis).job_ids == [job.id]
    assert redis.keys("rq:execution*") == []
    assert redis.zcard("rq:wip:default") == 0
    (run,) = read_runs(redis, "app", "e")
    assert (run.outcome, run.attempt, run.worker) == (RunOutcome.ABANDONED, 1, "w1")


def test_one_with_an_interval_waits_for_it(redis: Redis) -> None:
    job = begun(redis, retry=Retry(2, interval=[60, 120]))
    (found,) = found_in(redis)
    assert taken(redis, found) is not None
    assert job.get_status() == JobStatus.SCHEDULED
    assert Queue("default", connection=redis).job_ids == []
    assert redis.zscore("rq:scheduled:default", job.id) == int(NOW + 60)


def test_one_without_retries_fails_with_its_reason(redis: Redis) -> None:
    job = begun(redis, failure_ttl=100)
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert recovery.outcome is RecoveryOutcome.FAILED
    assert job.get_status() == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert result.exc_string == "abandoned: its worker w1 died, and it has no retries left"
    assert redis.zcard("rq:failed:default") == 1
    assert 0 < redis.ttl(job.key) <= 100
    assert Queue("default", connection=redis).job_ids == []


def test_the_third_dead_worker_is_the_last_and_counting_begins_anew(redis: Redis) -> None:
    job = begun(redis, retry=Retry(9))
    redis.hset(job.key, keys.DEATHS, 2)
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert recovery.reason == "given up: 3 workers died while they ran it"
    assert job.get_status() == JobStatus.FAILED
    assert redis.hget(job.key, keys.DEATHS) is None


def test_one_that_had_not_begun_is_put_back_at_no_cost(redis: Redis) -> None:
    job = begun(redis)
    redis.hset(job.key, "status", "queued")
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert recovery.outcome is RecoveryOutcome.PUT_BACK
    again = Job.fetch(job.id, connection=redis)
    assert (again.retries_left, again.number_of_retries) == (None, None)
    assert Queue("default", connection=redis).job_ids == [job.id]


@pytest.mark.parametrize("status", ["finished", "failed", "canceled", "stopped"])
def test_of_one_that_has_ended_only_the_trace_goes(redis: Redis, status: str) -> None:
    job = begun(redis, retry=Retry(2))
    redis.hset(job.key, "status", status)
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert recovery.outcome is RecoveryOutcome.FORGOTTEN
    assert job.get_status() == status
    assert redis.zcard("rq:wip:default") == 0
    assert read_runs(redis, "app", "e") == []
    assert Queue("default", connection=redis).job_ids == []


@pytest.mark.parametrize("where", ["queue", "scheduled"])
def test_one_that_waits_already_is_not_put_back_a_second_time(redis: Redis, where: str) -> None:
    # A worker that dies in the middle of putting a job back leaves it so.
    job = begun(redis, retry=Retry(2))
    redis.hset(job.key, "status", "queued" if where == "queue" else "scheduled")
    if where == "queue":
        redis.rpush("rq:queue:default", job.id)
    else:
        redis.zadd("rq:scheduled:default", {job.id: NOW})
    (found,) = found_in(redis)
    recovery = taken(redis, found)
    assert recovery is not None
    assert recovery.outcome is RecoveryOutcome.FORGOTTEN
    assert redis.llen("rq:queue:default") + redis.zcard("rq:scheduled:default") == 1
    assert redis.zcard("rq:wip:default") == 0


def test_of_a_job_that_is_gone_only_the_trace_goes(redis: Redis) -> None:
    job = begun(redis)
    redis.delete(job.key)
    (found,) = found_in(redis)
    assert taken(redis, found) is not None
    assert redis.keys("rq:job:*") == []
    assert found_in(redis) == []


def test_of_two_that_take_a_job_over_one_does(redis: Redis) -> None:
    begun(redis, retry=Retry(2))
    (found,) = found_in(redis)
    assert taken(redis, found) is not None
    assert taken(redis, found) is None
    assert redis.llen("rq:queue:default") == 1


@pytest.mark.parametrize("meanwhile", ["ended", "back", "taken"])
def test_nothing_happens_where_something_does_between_the_look_and_the_deed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    job = begun(redis, retry=Retry(2))
    (found,) = found_in(redis)
    fetch = Job.fetch.__func__  # type: ignore[attr-defined]

    def slow(*args: Any, **kwargs: Any) -> Any:
        fetched = fetch(*args, **kwargs)
        monkeypatch.undo()
        if meanwhile == "ended":
            redis.delete(found.execution_key)
        elif meanwhile == "back":
            redis.set(keys.heartbeat(DEAD), "here")
        else:
            assert taken(redis, found) is not None
        return fetched

    monkeypatch.setattr(Job, "fetch", classmethod(slow))
    assert taken(redis, found) is None
    expected = 1 if meanwhile == "taken" else 0
    assert redis.llen("rq:queue:default") == expected
    assert len(read_runs(redis, "app", "e")) == expected
    assert (job.get_status() == JobStatus.STARTED) == (meanwhile != "taken")


def test_its_callback_is_a_job_of_its_own_before_it(redis: Redis) -> None:
    job = begun(redis, retry=Retry(2), on_failure=Callback("work.mourn"))
    (found,) = found_in(redis)
    assert taken(redis, found) is not None
    first, second = Queue("default", connection=redis).jobs
    assert first.func_name == "clock.worker.mourning.mourn"
    assert first.args[0] == job.id == second.id
    assert (first.result_ttl, first.failure_ttl) == (0, 7 * 86_400)


def test_the_jobs_that_wait_for_it_are_told_of_its_failure(redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    job = begun(redis)
    from rq.job import Dependency

    after = queue.enqueue("work.y", depends_on=Dependency([job], allow_failure=True))
    (found,) = found_in(redis)
    assert taken(redis, found) is not None
    assert after.get_status() == JobStatus.QUEUED
