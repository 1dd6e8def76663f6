"""What jobs leave on the server stays the same, however long they go on: half an hour of the day
that ``python -m benchmarks.retention`` simulates, with smaller caps so that they are reached in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from benchmarks.retention.day import SCHEDULE, Day, Sample, without_end
from clock import keys, load

KEPT = 150
"""Failed jobs and runs of an event; a failure every two seconds reaches it in five minutes."""

FINISHED = 250
"""Finished jobs that are there at once: one every two seconds, each for RQ's 500 seconds."""


@pytest.fixture
def samples(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    for cap in ("RUNS", "FAILED_KEPT"):
        monkeypatch.setattr(keys, cap, KEPT)
    file = tmp_path / "schedule.py"
    file.write_text(SCHEDULE)
    day = Day(redis, list(load(file).events.values()))
    return list(day.pass_by(1800, sample_every=600))


def test_keys_and_memory_stay_flat(samples: list[Sample], redis: Redis) -> None:
    _, before, after = samples
    assert (before.jobs, after.jobs) == (1200, 1800)
    assert abs(after.keys - before.keys) <= 2
    assert abs(after.memory - before.memory) < 0.02 * before.memory
    jobs = len(redis.keys("rq:job:*"))
    assert KEPT + FINISHED - 60 < jobs <= KEPT + FINISHED

    assert redis.zcard("rq:failed:default") == KEPT
    assert redis.zcard("rq:finished:default") <= FINISHED + 300
    for event in ("good", "bad"):
        assert redis.llen(keys.runs("clock", event)) == KEPT
    assert without_end(redis) == [
        "rq:failed:default",
        "rq:finished:default",
        "rq:queues",
        "rq:workers",
        "rq:workers:default",
    ]
