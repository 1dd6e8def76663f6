"""Overlap: what a job that still waits or runs means for the next, by what RQ knows of it."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.registry import DeferredJobRegistry, ScheduledJobRegistry

from clock.connection.client import connect
from clock.decision import Kind
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from tests.conftest import ReadSchedule
from tests.simple_worker import SimpleWorker

NOW = 1_800_000_000

RQ_3 = ["rate_limited", "ready_to_enqueue"]
"""Statuses RQ has from 3 on, of jobs that wait."""

SEARCHED = 10_000
"""Ids at either end of a queue among which the claim looks for one that it replaces."""


def test_allowed_overlap_enqueues_whatever_the_job_before_does(
    redis: Redis, read: ReadSchedule
) -> None:
    assert _second(redis, _fired_once(redis, read, "allow")) is Kind.FIRED
    assert redis.llen("rq:queue:default") == 2


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_a_job_that_ended_is_not_in_the_way(policy: str, redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, policy, task="builtins.len", args="[()]")
    SimpleWorker([Queue("default", connection=redis)], connection=redis).work(burst=True)
    assert _second(redis, event) is Kind.FIRED


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_a_job_that_failed_for_good_is_not_in_the_way(
    policy: str, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, policy, task="builtins.len", args="[3]")
    SimpleWorker([Queue("default", connection=redis)], connection=redis).work(burst=True)
    assert _job(redis, event).get_status() == JobStatus.FAILED
    assert _second(redis, event) is Kind.FIRED


def test_a_waiting_job_lets_the_next_be_skipped(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "skip")
    assert _second(redis, event) is Kind.OVERLAP
    assert redis.llen("rq:queue:default") == 1


def test_a_job_that_waits_for_its_retry_lets_the_next_be_skipped(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "skip")
    _take_from_queue(redis)
    _job(redis, event).set_status(JobStatus.SCHEDULED)
    assert _second(redis, event) is Kind.OVERLAP


def test_a_deferred_job_lets_the_next_be_skipped(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "skip")
    _take_from_queue(redis)
    _job(redis, event).set_status(JobStatus.DEFERRED)
    assert _second(redis, event) is Kind.OVERLAP


@pytest.mark.parametrize("status", RQ_3)
def test_a_job_that_rq_3_lets_wait_lets_the_next_be_skipped(
    status: str, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "skip")
    _take_from_queue(redis)
    redis.hset(_job(redis, event).key, "status", status)
    assert _second(redis, event) is Kind.OVERLAP


def test_a_running_job_with_a_living_worker_lets_the_next_be_skipped(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "skip")
    _start(redis, event)
    assert _second(redis, event) is Kind.OVERLAP


def test_a_running_job_whose_worker_died_counts_as_gone(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "skip")
    execution = _start(redis, event)
    redis.delete(execution.key)  # what RQ's own expiry of the heartbeat does
    assert _second(redis, event) is Kind.FIRED


def test_a_job_whose_hash_expired_counts_as_gone(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "skip")
    redis.delete(_job(redis, event).key)
    assert _second(redis, event) is Kind.FIRED


def test_replacing_drops_the_waiting_job_and_a_worker_runs_only_the_new_one(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "replace", task="builtins.len", args="[()]")
    first = _job(redis, event).id
    assert _second(redis, event) is Kind.FIRED
    second = Queue("default", connection=redis).job_ids[-1]
    SimpleWorker([Queue("default", connection=redis)], connection=redis).work(burst=True)
    assert not Job.exists(first, connection=redis)
    assert Job.fetch(second, connection=redis).get_status() == JobStatus.FINISHED
    assert redis.llen("rq:queue:default") == 0


def test_replacing_drops_a_job_however_long_it_waited(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "replace', stuck_after='1h")
    first = _job(redis, event).id
    assert _second(redis, event, at=NOW + 7200) is Kind.FIRED
    assert not Job.exists(first, connection=redis)


@pytest.mark.parametrize(
    ("registry", "status"),
    [(ScheduledJobRegistry, JobStatus.SCHEDULED), (DeferredJobRegistry, JobStatus.DEFERRED)],
)
def test_replacing_takes_the_job_out_of_the_registry_it_waits_in(
    registry: type[ScheduledJobRegistry] | type[DeferredJobRegistry],
    status: JobStatus,
    redis: Redis,
    read: ReadSchedule,
) -> None:
    event = _fired_once(redis, read, "replace")
    _take_from_queue(redis)
    job = _job(redis, event)
    job.set_status(status)
    waiting = registry("default", connection=redis)
    redis.zadd(waiting.key, {job.id: NOW + 3600})
    assert _second(redis, event) is Kind.FIRED
    assert redis.zcard(waiting.key) == 0


@pytest.mark.parametrize(
    ("status", "place"),
    [("rate_limited", "rq:rl:shop:rate_limited"), ("ready_to_enqueue", "rq:ready:default")],
)
def test_replacing_takes_the_job_out_of_where_rq_3_lets_it_wait(
    status: str, place: str, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "replace")
    _take_from_queue(redis)
    job = _job(redis, event)
    redis.hset(job.key, mapping={"status": status, "rate_limit_key": "shop"})
    redis.zadd(place, {job.id: NOW})
    assert _second(redis, event) is Kind.FIRED
    assert not redis.exists(place, job.key)


def test_replacing_leaves_a_running_job_alone(redis: Redis, read: ReadSchedule) -> None:
    event = _fired_once(redis, read, "replace")
    _start(redis, event)
    assert _second(redis, event) is Kind.FIRED
    assert _job(redis, event).get_status() == JobStatus.STARTED


@pytest.mark.parametrize(("waited", "kind"), [(3600, Kind.OVERLAP), (3601, Kind.FIRED_PAST_STUCK)])
def test_a_job_that_waits_longer_than_stuck_after_no_longer_blocks(
    waited: int, kind: Kind, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "skip', stuck_after='1h")
    assert _second(redis, event, at=NOW + waited) is kind


@pytest.mark.parametrize("options", ["", "', at_front=True, description='x"])
def test_a_job_that_is_replaced_again_and_again_is_in_the_queue_once(
    options: str, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, f"replace{options}")
    redis.lpush("rq:queue:default", *(f"ahead-{n}" for n in range(200)))
    for number in range(1, 21):
        redis.rpush("rq:queue:default", *(f"behind-{number}-{n}" for n in range(50)))
        assert _second(redis, event, at=NOW + number * 60) is Kind.FIRED
    ours = [
        identifier
        for identifier in Queue("default", connection=redis).job_ids
        if identifier.startswith("e-")
    ]
    assert ours == [_ledger(redis).job_id(Claim(event, NOW + 1200))]
    assert redis.llen("rq:queue:default") == 200 + 20 * 50 + 1


def test_many_events_that_replace_their_jobs_have_one_id_each_in_the_queue(
    redis: Redis, read: ReadSchedule
) -> None:
    line = "for n in range(300): every('day', 'tasks.x', overlap='replace', name=f'e{n}')"
    events = list(read(line).events.values())
    ledger = _ledger(redis)
    ledger.enrol(events, NOW - 1)
    for at in (NOW, NOW + 60, NOW + 120):
        ledger.claim([Claim(event, at) for event in events], at)
    assert Queue("default", connection=redis).job_ids == [
        ledger.job_id(Claim(event, NOW + 120)) for event in events
    ]


@pytest.mark.parametrize(
    ("ahead", "behind", "left"),
    [(SEARCHED, SEARCHED - 1, 0), (SEARCHED - 1, SEARCHED, 0), (SEARCHED, SEARCHED, 1)],
)
def test_a_replaced_job_is_looked_for_near_both_ends_of_its_queue_only(
    ahead: int, behind: int, left: int, redis: Redis, read: ReadSchedule
) -> None:
    event = _fired_once(redis, read, "replace")
    redis.lpush("rq:queue:default", *(f"ahead-{n}" for n in range(ahead)))
    redis.rpush("rq:queue:default", *(f"behind-{n}" for n in range(behind)))
    assert _second(redis, event) is Kind.FIRED
    assert redis.llen("rq:queue:default") == ahead + behind + 1 + left


def test_a_server_that_cannot_search_a_queue_leaves_the_id_there(
    redis: Redis, read: ReadSchedule, server_url: str
) -> None:
    event = _fired_once(redis, read, "replace")
    redis.execute_command("ACL", "SETUSER", "old", "on", "nopass", "~*", "+@all", "-lpos")  # type: ignore[no-untyped-call]
    with connect(server_url.replace("//", "//old:any@")) as old:
        assert _second(old, event) is Kind.FIRED
    redis.acl_deluser("old")
    assert redis.llen("rq:queue:default") == 2


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_deciding_on_overlap_costs_the_same_however_long_the_queue_is(
    policy: str, redis: Redis, read: ReadSchedule
) -> None:
    """Counted in commands the server ran, of which none may look at a whole queue or registry. LPOS
    looks at ``SEARCHED`` ids, as is tested above, and LREM at those before the one that it found.
    """
    event = _fired_once(redis, read, policy)
    redis.rpush("rq:queue:default", *(f"other-{n}" for n in range(5000)))
    redis.config_resetstat()
    _second(redis, event)
    commands = {name: stat["calls"] for name, stat in redis.info("commandstats").items()}
    scanning = {"lrange", "zrange", "zrangebyscore", "keys", "scan", "hgetall"}
    scanning |= {"lrem", "lpos"} if policy == "skip" else set()
    assert not {name.removeprefix("cmdstat_") for name in commands} & scanning
    assert sum(commands.values()) < 25


def _fired_once(
    redis: Redis, read: ReadSchedule, overlap: str, task: str = "tasks.x", args: str = "[]"
) -> Event:
    event = read(f"every('day', '{task}', args={args}, overlap='{overlap}', name='e')").events["e"]
    ledger = _ledger(redis)
    ledger.enrol([event], NOW - 1)
    (outcome,) = ledger.claim([Claim(event, NOW)], NOW)
    assert outcome.kind is Kind.FIRED
    return event


def _second(redis: Redis, event: Event, at: int = NOW + 60) -> Kind | None:
    (outcome,) = _ledger(redis).claim([Claim(event, at)], at)
    return outcome.kind


def _start(redis: Redis, event: Event) -> Execution:
    """What a worker does when it begins a job."""
    _take_from_queue(redis)
    job = _job(redis, event)
    with redis.pipeline() as pipeline:
        execution = Execution.create(job, ttl=90, pipeline=pipeline)
        job.prepare_for_execution("worker", pipeline)
        pipeline.execute()
    return execution


def _take_from_queue(redis: Redis) -> None:
    redis.lpop("rq:queue:default")


def _job(redis: Redis, event: Event) -> Job:
    """The job of the first occurrence."""
    return Job.fetch(_ledger(redis).job_id(Claim(event, NOW)), connection=redis)


def _ledger(redis: Redis) -> Ledger:
    return Ledger(redis, app="test", token="t")
