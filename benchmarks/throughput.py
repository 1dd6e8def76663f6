"""How many jobs does a worker run in a second?

Jobs that do nothing wait on a queue before a worker starts; their results are kept for 60 seconds.
The time begins when one job in eleven has ended, so starting up does not count.
`clock.worker.Worker` with one child is compared with RQ's `Worker`, which forks for every job, and
with RQ's `SimpleWorker`, which runs jobs in its own process; with `ISOLATION = "job"` only with the
former. Each runs against a server of its own.

Beside them, in the same run, other task queues with one process and a Redis broker; what each
guarantees where a worker is killed is said with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from statistics import median

from benchmarks.answer import Answer, Goal
from benchmarks.ratio import Pairs, pairs
from benchmarks.task_queues import task_queues
from benchmarks.worker import FORKING, OURS, SIMPLE, seconds_a_job

GUARANTEES = {
    "clock.worker.Worker": "requeued within 30 s or failed by its retries; its end written once",
    "rq worker": "failed ten minutes or more later",
    "SimpleWorker": "failed ten minutes or more later",
}


def measure(*, quick: bool = False) -> Answer:
    """The three goals, and the rates of others."""
    runs, many, some, few = (1, 40, 20, 4) if quick else (5, 20_000, 1_000, 150)
    ours = partial(seconds_a_job, OURS, many)
    forking = partial(seconds_a_job, FORKING, few)
    by_forking = pairs(runs, ours, forking)
    by_simple = pairs(runs, ours, partial(seconds_a_job, SIMPLE, some))
    isolated = pairs(
        runs, partial(seconds_a_job, OURS, few, environ={"CLOCK_ISOLATION": "job"}), forking
    )
    rates = {
        "clock.worker.Worker": median(by_forking.ours),
        "rq worker": median(by_forking.peer),
        "SimpleWorker": median(by_simple.peer),
    }
    return Answer(
        goals=[
            _goal("jobs that do nothing, of `rq worker`'s rate", by_forking, 60, 40),
            _goal("jobs that do nothing, of `SimpleWorker`'s rate", by_simple, 12, 8),
            _goal('with `ISOLATION = "job"`, of `rq worker`\'s rate', isolated, 1.0, 0.9),
        ],
        facts=[
            f"of rq worker's rate {by_forking.speed:.3g} ({by_forking.spread}), "
            f"of SimpleWorker's {by_simple.speed:.3g} ({by_simple.spread}), "
            f'with ISOLATION = "job" of rq worker\'s {isolated.speed:.3g} ({isolated.spread})',
            *_lines(rates),
            *task_queues(some),
        ],
    )


def _goal(what: str, measured: Pairs, goal: float, least: float) -> Goal:
    return Goal(what=what, measured=measured.speed, goal=goal, least=least)


def _lines(rates: Mapping[str, float]) -> list[str]:
    lines = [
        f"  {name}: {1 / seconds:,.0f}; a job whose worker is killed is {GUARANTEES[name]}"
        for name, seconds in rates.items()
    ]
    return ["jobs a second, one process:", *lines]
