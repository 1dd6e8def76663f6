"""Leases: at most so many jobs of a task at once, whoever dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.scheduler import RQScheduler

from clock.jobs import Handle, Status, enqueue
from clock.jobs.lease import Leases
from tests.jobs.working import say
from tests.live.waiting import wait_for

TASK = f"{say.__module__}.say"
LEASE = 0.4

MakeLeases = Callable[[str], Leases]


@pytest.fixture
def leases(redis: Redis) -> MakeLeases:
    """The leases of a worker, by its name; two jobs of TASK may run."""

    def make(worker: str) -> Leases:
        return Leases(connection=redis, app="clock", worker=worker, limits={TASK: 2}, lease=LEASE)

    return make


def _job(redis: Redis, name: str, **options: object) -> Job:
    """A job that a worker has just taken from its queue."""
    enqueue(TASK, id=name, connection=redis, **options)  # type: ignore[arg-type]
    redis.zadd(f"rq:executions:{name}", {"its execution": 1})
    redis.lrem("rq:queue:default", 1, name)
    return Job.fetch(name, connection=redis)


def _queued(redis: Redis) -> list[str]:
    return Queue(connection=redis).get_job_ids()


def test_a_task_without_a_limit_costs_nothing(redis: Redis) -> None:
    free = Leases(connection=redis, app="clock", worker="w", limits={"tasks.other": 1})
    job = _job(redis, "a")
    redis.config_resetstat()
    assert free.take(job)
    assert free.renew(job)
    assert free.release(job) == 0
    assert set(redis.info("commandstats")) <= {"cmdstat_config|resetstat", "cmdstat_info"}


def test_as_many_jobs_as_the_limit_allows_may_begin(leases: MakeLeases, redis: Redis) -> None:
    taken = [leases("w").take(_job(redis, name)) for name in "abc"]
    assert taken == [True, True, False]


def test_a_job_may_say_the_limit_itself_and_the_lower_one_holds(
    leases: MakeLeases, redis: Redis
) -> None:
    assert leases("w").take(_job(redis, "a"))
    assert not leases("w").take(_job(redis, "b", max_running=1))
    assert leases("w").take(_job(redis, "c", max_running=9))
    assert not leases("w").take(_job(redis, "d", max_running=9))


@pytest.mark.parametrize("limit", [0, -1, True, "2", None, 1.5])
def test_an_invalid_limit_is_no_limit(limit: object, redis: Redis) -> None:
    job = _job(redis, "a", meta={"max_running": limit})
    assert Leases(connection=redis, app="clock", worker="w", limits={}).limit_of(job) is None


def test_a_job_whose_call_cannot_be_read_is_left_to_its_worker(
    leases: MakeLeases, redis: Redis
) -> None:
    job = _job(redis, "a")
    job.data = b"?"
    assert leases("w").take(job)


def test_a_held_job_waits_off_its_queue_where_rqs_scheduler_finds_it(
    leases: MakeLeases, redis: Redis
) -> None:
    for name in "ab":
        leases("w").take(_job(redis, name))
    job = _job(redis, "c")
    redis.rpush("rq:queue:default:intermediate", "c")
    assert not leases("w").take(job)
    assert _queued(redis) == []
    assert redis.llen("rq:queue:default:intermediate") == 0
    assert job.get_status() == JobStatus.SCHEDULED
    assert Handle("c", redis).status() is Status.WAITING
    score = redis.zscore("rq:scheduled:default", "c")
    assert score is not None
    assert 590 < score - int(redis.time()[0]) <= 600
    assert job.retries_left is None
    assert job.number_of_retries is None


def test_who_waited_longest_goes_first_and_to_the_front_of_its_queue(
    leases: MakeLeases, redis: Redis
) -> None:
    running = [_job(redis, name) for name in "ab"]
    later = [_job(redis, name) for name in "cde"]
    for job in (*running, later[2], later[0], later[1]):
        leases("w").take(job)
    enqueue("tasks.another", id="z", connection=redis)

    assert leases("w").release(running[0]) == 1
    assert _queued(redis) == ["c", "z"]
    assert Job.fetch("c", connection=redis).get_status() == JobStatus.QUEUED
    assert redis.zrange("rq:scheduled:default", 0, -1) == [b"d", b"e"]


def test_several_places_are_given_in_the_order_of_waiting(leases: MakeLeases, redis: Redis) -> None:
    running = [_job(redis, name) for name in "ab"]
    for job in (*running, *(_job(redis, name) for name in "cd")):
        leases("w").take(job)
    redis.delete("clock:clock:running:" + TASK)
    assert leases("w").wake() == 2
    assert _queued(redis) == ["c", "d"]


def test_a_job_that_comes_back_too_early_keeps_its_turn(leases: MakeLeases, redis: Redis) -> None:
    a, b, c, d = (_job(redis, name) for name in "abcd")
    for job in (a, b, c, d):
        leases("w").take(job)
    leases("w").release(a)
    assert leases("w").take(_job(redis, "quick"))  # before any worker has looked at c
    redis.lpop("rq:queue:default")
    assert not leases("w").take(c)
    leases("w").release(b)
    assert _queued(redis) == ["c"]


def test_a_job_that_is_gone_makes_nobody_wait(leases: MakeLeases, redis: Redis) -> None:
    a, b, c, d = (_job(redis, name) for name in "abcd")
    for job in (a, b, c, d):
        leases("w").take(job)
    c.delete()
    assert leases("w").release(a) == 1
    assert _queued(redis) == ["d"]


def test_a_job_that_expired_before_it_was_held_is_dropped(leases: MakeLeases, redis: Redis) -> None:
    a, b, c = (_job(redis, name) for name in "abc")
    leases("w").take(a)
    leases("w").take(b)
    redis.delete(c.key)
    assert not leases("w").take(c)
    assert redis.exists("rq:job:c", "rq:scheduled:default", f"clock:clock:held:{TASK}") == 0


def test_the_lease_of_a_killed_worker_ends_and_the_next_sweep_lets_others_go(
    leases: MakeLeases, redis: Redis
) -> None:
    a, b, c = (_job(redis, name) for name in "abc")
    leases("killed").take(a)
    leases("killed").take(b)
    assert not leases("w").take(c)
    assert leases("w").wake() == 0
    wait_for("the leases end", lambda: leases("w").wake() == 1, within=2)
    redis.lpop("rq:queue:default")
    assert leases("w").take(c)


def test_a_lease_that_is_renewed_does_not_end(leases: MakeLeases, redis: Redis) -> None:
    a, b, c, other = (_job(redis, name) for name in "abcd")
    leases("w").take(a)
    leases("dies").take(b)

    def b_is_over() -> bool:
        assert leases("w").renew(a)
        return leases("w").take(c)

    wait_for("the other one ends", b_is_over, within=2, pause=0.05)
    assert not leases("w").take(other)


def test_a_late_renewal_returns_false_and_counts_again(leases: MakeLeases, redis: Redis) -> None:
    a, b, c = (_job(redis, name) for name in "abc")
    leases("w").take(a)
    redis.delete(f"clock:clock:running:{TASK}")
    assert not leases("w").renew(a)
    assert leases("w").renew(a)
    assert leases("w").take(b)
    assert not leases("w").take(c)


def test_a_job_taken_up_again_after_its_worker_died_keeps_its_place(
    leases: MakeLeases, redis: Redis
) -> None:
    a, b = (_job(redis, name) for name in "ab")
    leases("killed").take(a)
    leases("w").take(b)
    assert leases("heir").take(a)
    assert leases("killed").renew(a)
    assert leases("killed").release(a) == 0
    assert not leases("w").take(_job(redis, "c"))


def test_two_applications_do_not_count_each_others_jobs(redis: Redis) -> None:
    for app in ("one", "two"):
        leases_ = Leases(connection=redis, app=app, worker="w", limits={TASK: 1})
        assert leases_.take(_job(redis, app))


def test_where_no_worker_of_ours_is_left_rqs_scheduler_has_the_held_job(
    leases: MakeLeases, redis: Redis
) -> None:
    a, b, c = (_job(redis, name) for name in "abc")
    for job in (a, b, c):
        leases("w").take(job)
    redis.zadd("rq:scheduled:default", {"c": 1})
    scheduler = RQScheduler(["default"], connection=redis)
    scheduler.acquire_locks()  # type: ignore[no-untyped-call]
    scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]
    assert _queued(redis) == ["c"]
    assert leases("w").release(a) == 0
    assert _queued(redis) == ["c"]


def test_a_held_job_that_expires_is_left_alone_by_rqs_scheduler_until_it_has(
    leases: MakeLeases, redis: Redis
) -> None:
    for name in "ab":
        leases("w").take(_job(redis, name))
    leases("w").take(_job(redis, "c", expires="1h"))
    score = redis.zscore("rq:scheduled:default", "c")
    assert score is not None
    assert score * 1000 > redis.pexpiretime("rq:job:c")
    assert 3590 < redis.ttl("rq:job:c") <= 3600


def test_no_key_is_left_when_all_is_done_and_every_one_has_a_ttl(
    leases: MakeLeases, redis: Redis
) -> None:
    a, b, c = (_job(redis, name) for name in "abc")
    for job in (a, b, c):
        leases("w").take(job)
    ours = _keys(redis)
    assert len(ours) == 3
    assert all(redis.ttl(key) >= 0 for key in ours)
    leases("w").release(a)
    leases("w").release(b)
    assert leases("w").take(c)
    leases("w").release(c)
    assert _keys(redis) == []


def _keys(redis: Any) -> list[bytes]:
    """The keys of ours, but for what is counted of the jobs that were enqueued."""
    return [key for key in redis.keys("clock:*") if b":trends:" not in key]


def test_held_jobs_cost_nothing_while_they_wait(leases: MakeLeases, redis: Redis) -> None:
    running = [_job(redis, name) for name in ("a", "b")]
    for job in (*running, *(_job(redis, f"held-{number}") for number in range(300))):
        leases("w").take(job)
    redis.config_resetstat()
    assert leases("w").wake() == 0
    leases("w").renew(running[0])
    commands = redis.info("commandstats")
    assert sum(stat["calls"] for stat in commands.values()) < 25
    assert leases("w").release(running[0]) == 1
