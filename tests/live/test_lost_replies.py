"""Claims that the server carried out, and whose reply never came."""

from __future__ import annotations

from redis import Redis

from tests.live.absence import assert_fired_by_the_rules
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired, job_hashes, scheduled
from tests.live.proxy import proxy_to
from tests.live.server import Server
from tests.live.waiting import wait_for

EVENTS = tuple("abc")


def test_with_every_third_reply_lost_every_occurrence_is_enqueued_exactly_once(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(*(f"every('1 second', 'tasks.x', name={e!r})" for e in EVENTS))
    with proxy_to(server.port) as proxy:
        clock = start_clock(file, proxy.url)
        wait_for("36 jobs", lambda: len(fired(redis)) >= 36, within=30)
        assert clock.is_alive()
        assert clock.stop() == 0

    assert proxy.dropped >= 4
    jobs = fired(redis)
    assert len({job.job_id for job in jobs}) == len(jobs)
    assert {job.job_id for job in jobs} == job_hashes(redis)
    for event in EVENTS:
        instants = scheduled(redis, event)
        assert_fired_by_the_rules(instants, 1, [], since=instants[0], until=instants[-1])
    logged = clock.enqueued()
    assert len(logged) == len(set(logged)) == len(jobs)
