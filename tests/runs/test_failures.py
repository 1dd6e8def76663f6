"""The failed jobs of an event are kept for their time, but never more than a cap of them."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.results import Result

from clock import keys
from clock.runs.failures import keep_failed
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome

KEPT = 3


def test_of_more_failed_jobs_than_are_kept_the_oldest_go_with_all_their_keys(redis: Redis) -> None:
    jobs = [_fail(redis, f"job-{number}") for number in range(5)]
    assert [redis.exists(job.key) for job in jobs] == [0, 0, 1, 1, 1]
    assert not redis.keys("*job-0*")
    assert not redis.keys("*job-1*")
    assert redis.zrange("rq:failed:default", 0, -1) == [b"job-2", b"job-3", b"job-4"]


def test_the_failed_jobs_of_another_event_or_application_are_not_counted(redis: Redis) -> None:
    for number in range(KEPT):
        _fail(redis, f"ours-{number}")
    for number in range(KEPT):
        _fail(redis, f"theirs-{number}", event="other")
    keep_failed(redis, "other", "event", "elsewhere", KEPT)
    assert len(redis.keys("rq:job:*")) == 2 * KEPT


def test_a_requeued_job_is_kept(redis: Redis) -> None:
    first = _fail(redis, "job-0")
    first.requeue()
    for number in range(1, 5):
        _fail(redis, f"job-{number}")
    assert first.get_status(refresh=True) == JobStatus.QUEUED


def test_a_job_that_fails_once_more_is_the_latest(redis: Redis) -> None:
    for name in ("job-0", "job-1", "job-2", "job-0", "job-3"):
        _fail(redis, name)
    assert redis.zrange("rq:failed:default", 0, -1) == [b"job-0", b"job-2", b"job-3"]
    assert redis.lrange(keys.failed("app", "event"), 0, -1) == [b"job-3", b"job-0", b"job-2"]


def test_a_job_kept_for_ever_and_one_that_others_depend_on_stay(redis: Redis) -> None:
    for_ever = _fail(redis, "for-ever", failure_ttl=-1)
    needed = _fail(redis, "needed")
    Queue("default", connection=redis).enqueue("math.floor", 1, depends_on=needed)
    for number in range(4):
        _fail(redis, f"job-{number}")
    assert redis.exists(for_ever.key)
    assert redis.exists(needed.key)


def test_the_list_expires(redis: Redis) -> None:
    _fail(redis, "job")
    assert 0 < redis.ttl(keys.failed("app", "event")) <= keys.RUNS_TTL


@pytest.mark.parametrize("outcome", RunOutcome)
def test_a_run_after_which_its_job_may_be_failed_counts_it(
    outcome: RunOutcome, redis: Redis
) -> None:
    run = Run(
        event="event",
        scheduled=0,
        enqueued=0,
        started=0,
        ended=0,
        outcome=outcome,
        error=None,
        attempt=1,
        worker="one",
        job="job",
    )
    write_run(redis, "app", run)
    counted = redis.llen(keys.failed("app", "event"))
    assert counted == (outcome in {"failed", "abandoned", "stopped"})


def _fail(redis: Redis, identifier: str, *, event: str = "event", failure_ttl: int = 60) -> Job:
    """A job that failed as RQ lets one fail, and was counted."""
    queue = Queue("default", connection=redis)
    job = queue.create_job("math.floor", job_id=identifier, failure_ttl=failure_ttl)
    job.save()
    job.set_status(JobStatus.FAILED)
    queue.failed_job_registry.add(job, ttl=failure_ttl, exc_string="why")
    Result.create_failure(job, failure_ttl, exc_string="why")
    keep_failed(redis, "app", event, identifier, KEPT)
    return job
