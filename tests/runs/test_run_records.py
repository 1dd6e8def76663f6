"""The record of runs, and what is read out of it."""

from __future__ import annotations

import pytest
from redis import Redis

from clock import keys
from clock.connection.client import connect
from clock.errors import ServerError
from clock.runs.records import read_runs, write_run
from clock.runs.run import Run, RunOutcome
from clock.runs.statistics import Spread, statistics

NOTHING = Spread(p50=None, p95=None, maximum=None)


def a_run(
    *,
    ended: float = 20.0,
    outcome: RunOutcome = RunOutcome.SUCCEEDED,
    duration: float = 1.0,
    wait: float = 0.5,
    lateness: float = 0.0,
    attempt: int = 1,
    event: str = "e",
) -> Run:
    started = ended - duration
    return Run(
        event=event,
        scheduled=round(started - wait - lateness),
        enqueued=started - wait,
        started=started,
        ended=ended,
        outcome=outcome,
        error="ValueError" if outcome is RunOutcome.FAILED else None,
        attempt=attempt,
        worker="w",
        job=f"{event}-1",
    )


def test_a_run_is_read_as_it_was_written(redis: Redis) -> None:
    runs = [a_run(ended=20.125 + n, outcome=outcome) for n, outcome in enumerate(RunOutcome)]
    for run in runs:
        write_run(redis, "app", run)
    assert read_runs(redis, "app", "e") == runs[::-1]
    assert read_runs(redis, "app", "e", limit=2) == [runs[-1], runs[-2]]
    assert read_runs(redis, "app", "e", limit=0) == []
    assert read_runs(redis, "other", "e") == []


def test_an_event_keeps_its_latest_runs_for_some_weeks(redis: Redis) -> None:
    with redis.pipeline() as pipeline:
        for number in range(keys.RUNS + 5):
            write_run(pipeline, "app", a_run(ended=float(number)))
        pipeline.execute()
    runs = read_runs(redis, "app", "e", limit=10_000)
    assert len(runs) == keys.RUNS
    assert runs[0].ended == keys.RUNS + 4
    assert 0 < redis.ttl(keys.runs("app", "e")) <= keys.RUNS_TTL


def test_a_record_is_small(redis: Redis) -> None:
    run = a_run(event="tasks.reports.daily", ended=1_795_244_400.123)
    write_run(redis, "app", run)
    assert redis.strlen(keys.runs("app", "x")) == 0
    (line,) = redis.lrange(keys.runs("app", run.event), 0, -1)
    assert len(line) < 150


def test_a_server_that_is_away_is_a_server_error() -> None:
    with connect("redis://127.0.0.1:1/0") as nowhere, pytest.raises(ServerError):
        read_runs(nowhere, "app", "e")


def test_statistics_count_the_ways_to_end() -> None:
    runs = [a_run(outcome=outcome) for outcome in RunOutcome] + [a_run()]
    stats = statistics(runs, 0, 100)
    assert (stats.runs, stats.succeeded, stats.failures, stats.skipped) == (7, 2, 1, 1)
    assert (stats.retried, stats.abandoned, stats.stopped) == (1, 1, 1)


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    runs = [a_run(ended=ended) for ended in (9.9, 10.0, 19.9, 20.0)]
    assert statistics(runs, 10, 20).runs == 2


def test_percentiles_are_lengths_that_occurred() -> None:
    runs = [
        a_run(ended=1000.0, duration=float(n), wait=n / 2, lateness=n / 2) for n in range(1, 101)
    ]
    stats = statistics(runs, 0, 2000)
    assert stats.duration == Spread(p50=50.0, p95=95.0, maximum=100.0)
    assert stats.wait == Spread(p50=25.0, p95=47.5, maximum=50.0)
    assert statistics(runs[:1], 0, 2000).duration == Spread(p50=1.0, p95=1.0, maximum=1.0)


def test_nothing_is_known_of_an_empty_window() -> None:
    stats = statistics([], 0, 100)
    assert (stats.runs, stats.duration, stats.wait, stats.lateness) == (
        0,
        NOTHING,
        NOTHING,
        NOTHING,
    )


def test_an_abandoned_run_has_no_duration_and_a_later_attempt_no_lateness() -> None:
    stats = statistics([a_run(outcome=RunOutcome.ABANDONED, attempt=2)], 0, 100)
    assert (stats.runs, stats.duration, stats.lateness) == (1, NOTHING, NOTHING)
    assert stats.wait.p50 == 0.5
