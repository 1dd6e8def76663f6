"""What the fault campaign takes for a wrong end of a job."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq.job import Job, JobStatus

from benchmarks.faults.ends import Policy, judge
from clock.runs.run import Run, RunOutcome

WELL = Policy(retries=9)
ONCE = Policy(retries=0)
BROKEN = Policy(retries=2, is_broken=True)

SUCCEEDED: tuple[RunOutcome, str | None] = (RunOutcome.SUCCEEDED, None)
RETRIED = (RunOutcome.RETRIED, "ValueError")
FAILED = (RunOutcome.FAILED, "ValueError")
KILLED = (RunOutcome.RETRIED, "SIGKILL")
ABANDONED: tuple[RunOutcome, str | None] = (RunOutcome.ABANDONED, None)


def flaws(
    redis: Redis,
    *ends: tuple[RunOutcome, str | None],
    policy: Policy = WELL,
    status: JobStatus = JobStatus.FINISHED,
    retries: int | None = None,
    **notes: int,
) -> str:
    """What is said of a job with these runs, and with ``retries`` behind it."""
    job = Job("j", connection=redis)
    job._status = status
    job.number_of_retries = len(ends) - 1 if retries is None else retries
    job.retries_left = policy.retries - job.number_of_retries
    return "; ".join(
        judge(
            job,
            [_run(attempt, *end) for attempt, end in enumerate(ends, start=1)],
            {("raise" if word == "raised" else word, "j"): count for word, count in notes.items()},
            policy,
        )
    )


def _run(attempt: int, outcome: RunOutcome, error: str | None) -> Run:
    times: dict[str, Any] = dict.fromkeys(("scheduled", "enqueued", "started", "ended"), 0)
    return Run(
        event="e", outcome=outcome, error=error, attempt=attempt, worker="w", job="j", **times
    )


def test_ends_by_the_policy_are_right(redis: Redis) -> None:
    assert flaws(redis, SUCCEEDED, begin=1, end=1) == ""
    assert flaws(redis, RETRIED, KILLED, SUCCEEDED, begin=3, end=1, raised=1) == ""
    # It was killed before it began, and after it had ended.
    assert flaws(redis, ABANDONED, SUCCEEDED, begin=1, end=1) == ""
    assert flaws(redis, ABANDONED, SUCCEEDED, begin=2, end=2) == ""
    failed = JobStatus.FAILED
    assert flaws(redis, ABANDONED, policy=ONCE, status=failed, begin=1) == ""
    broken = flaws(redis, RETRIED, RETRIED, FAILED, policy=BROKEN, status=failed, begin=3, raised=3)
    assert broken == ""
    given_up = flaws(redis, ABANDONED, ABANDONED, ABANDONED, status=failed, retries=2, begin=3)
    assert given_up == ""


@pytest.mark.parametrize(
    ("runs", "more", "said"),
    [
        ([SUCCEEDED], {"begin": 1, "end": 1, "twice": 1}, "while another run of it went on"),
        ([SUCCEEDED], {"begin": 2, "end": 2}, "began 2 times"),
        ([SUCCEEDED], {"status": JobStatus.STARTED, "begin": 1, "end": 1}, "is started"),
        ([SUCCEEDED], {"begin": 1, "end": 1, "policy": BROKEN}, "is finished"),
        ([ABANDONED], {"begin": 1}, "its last run abandoned"),
        ([ABANDONED], {"begin": 1, "status": JobStatus.FAILED}, "had 9 retries"),
        ([ABANDONED, SUCCEEDED], {"begin": 2, "end": 1, "retries": 0}, "after 1 deaths"),
        ([RETRIED, SUCCEEDED], {"begin": 2, "end": 1}, "raised 0 times"),
        ([], {"retries": 0}, "has no run"),
    ],
)
def test_other_ends_are_not(redis: Redis, runs: Any, more: Any, said: str) -> None:
    assert said in flaws(redis, *runs, **more)
