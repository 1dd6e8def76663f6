"""A server at the end of a slow line."""

from __future__ import annotations

from redis import Redis

from clock import keys
from tests.live.clock_process import logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.server import Server
from tests.live.slow_line import slow_line_to
from tests.live.waiting import wait_for


def test_a_start_over_a_long_line_is_on_time_within_two_seconds(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule("every('1 second', 'tasks.x')")
    with slow_line_to(server.port, round_trip=0.4) as line:
        clock = start_clock(file, line.url)
        wait_for("12 jobs", lambda: len(fired(redis)) >= 12, within=40)
        clock.kill()
    jobs = fired(redis)
    assert max(job.enqueued - job.scheduled for job in jobs) < 2
    # From its first line, when it has not yet asked the server anything: what Python's own start
    # takes depends on what else the machine does.
    assert jobs[0].scheduled - logged_at(clock.wait_for_line("started")) < 2.7
    first = jobs[0].scheduled
    assert [job.scheduled for job in jobs] == list(range(first, first + len(jobs)))


def test_on_a_thin_line_due_events_fire_while_many_others_are_being_enrolled(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "for n in range(20_000): every('month', 'tasks.y', name=f'n{n}', args=[n])",
        "every('5 seconds', 'tasks.x')",
    )
    with slow_line_to(server.port, rate=200_000) as line:
        clock = start_clock(file, line.url)
        wait_for("3 jobs", lambda: len(fired(redis)) >= 3, within=60)
        assert 0 < redis.hlen(keys.decided("clock")) < 20_001
        assert clock.troubles() == []
        clock.kill()
    assert max(job.enqueued - job.scheduled for job in fired(redis)) < 3
