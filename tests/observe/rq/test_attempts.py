"""The attempts at a job, and the jobs that it is related to."""

from __future__ import annotations

import pickle
import time
from base64 import b64encode
from typing import Any

from redis import Redis
from rq import Queue, Retry

from clock.observe.rq.attempts import read_attempts
from clock.observe.rq.jobs import JobSummary, read_summaries
from clock.observe.rq.relations import MOST, read_relations
from clock.runs.output import RunOutput
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.jobs.working import start, work_off


def summary(redis: Redis, identifier: str) -> JobSummary:
    (job,) = read_summaries(redis, [identifier])
    assert job is not None
    return job


def test_the_attempts_of_a_retried_job_are_numbered_by_their_outputs(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.fail", retry=Retry(max=1))
    work_off(redis)
    now = time.time()
    outputs = [
        RunOutput(
            job=job.id,
            attempt=attempt,
            event=None,
            outcome=outcome,
            ended=ended,
            text="x",
            written=1,
        )
        for attempt, outcome, ended in (
            (1, RunOutcome.RETRIED, now - 60),
            (2, RunOutcome.FAILED, now),
        )
    ]
    known = read_attempts(redis, "test", summary(redis, job.id), outputs)
    assert [(one.number, one.outcome, one.error) for one in known.attempts] == [
        (1, "retried", None),
        (2, "failed", "ValueError: no such feed"),
    ]
    assert not known.has_result


def test_the_result_of_a_job_is_read_where_it_is_plain(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say", {"a": [1, "ü"]})
    work_off(redis)
    known = read_attempts(redis, "test", summary(redis, job.id))
    assert (known.has_result, known.is_readable, known.result) == (True, True, {"a": [1, "ü"]})
    (attempt,) = known.attempts
    assert attempt.outcome == "succeeded"


def test_a_result_that_would_run_something_is_not_read(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    packed: Any = b64encode(pickle.dumps(_Trap()))
    redis.xadd(f"rq:results:{job.id}", {"type": 1, "return_value": packed})
    known = read_attempts(redis, "test", summary(redis, job.id))
    assert (known.has_result, known.is_readable, known.result) == (True, False, None)


class _Trap:
    def __reduce__(self) -> Any:
        return (exec, ("raise AssertionError('it was run')",))


def test_the_runs_of_an_event_say_how_long_each_attempt_waited(redis: Redis) -> None:
    now = time.time()
    meta = {"clock": {"event": "nightly", "scheduled_at": "x"}}
    job = Queue(connection=redis).enqueue("tests.jobs.working.fail", meta=meta)
    for attempt, other in ((1, job.id), (2, job.id), (1, "another")):
        run = Run(
            event="nightly",
            scheduled=int(now),
            enqueued=now + 10 * attempt,
            started=now + 10 * attempt + 2,
            ended=now + 10 * attempt + 5,
            outcome=RunOutcome.RETRIED if attempt == 1 else RunOutcome.ABANDONED,
            error="KeyError",
            attempt=attempt,
            worker="w",
            job=other,
        )
        write_run(redis, "test", run)
    known = read_attempts(redis, "test", summary(redis, job.id)).attempts
    assert [(one.number, one.outcome, one.error) for one in known] == [
        (1, "retried", "KeyError"),
        (2, "abandoned", "KeyError"),
    ]
    assert [round(one.waited or 0) for one in known] == [2, 2]
    assert [round(one.took or 0) for one in known] == [3, 3]


def test_a_job_that_runs_has_an_attempt_without_an_end(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    start(redis, job.id)
    (attempt,) = read_attempts(redis, "test", summary(redis, job.id)).attempts
    assert (attempt.number, attempt.outcome, attempt.ended) == (1, None, None)
    assert attempt.waited is not None


def test_damaged_results_are_skipped(redis: Redis) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    damaged: list[dict[Any, Any]] = [
        {"type": "x"},
        {"type": 1, "execution_started_at": "never"},
        {"type": 77},
    ]
    for fields in damaged:
        redis.xadd(f"rq:results:{job.id}", fields)
    assert read_attempts(redis, "test", summary(redis, job.id)).attempts == ()


def test_the_relations_of_a_job_are_named_on_both_sides(redis: Redis) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue("tests.jobs.working.say", job_id="first")
    queue.enqueue("tests.jobs.working.say", job_id="second", depends_on=first)
    assert read_relations(redis, "first").dependents == ("second",)
    assert read_relations(redis, "second").dependencies == ("first",)
    assert read_relations(redis, "nobody").dependents == ()


def test_the_relations_that_are_named_are_bounded(redis: Redis) -> None:
    redis.sadd("rq:job:first:dependents", *(f"job-{number}" for number in range(5000)))
    redis.hset("rq:job:first", "dependency_ids", "[1, 2")
    relations = read_relations(redis, "first")
    assert 0 < len(relations.dependents) <= MOST
    assert relations.dependencies == ()
