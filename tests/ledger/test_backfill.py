"""Claiming by hand what passed: each occurrence once, and the schedule untouched."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import resolve_serializer
from rq.utils import as_text

from clock import keys
from clock.decision import Kind
from clock.errors import NotAQueueError, UnknownEventError
from clock.ledger.backfill import Backfill, Standing
from clock.ledger.ledger import Claim, Ledger
from clock.schedule.event import Event
from tests.conftest import ReadSchedule

NOW = 1_800_000_000


def test_the_job_is_that_of_the_occurrence_and_marked(redis: Redis, read: ReadSchedule) -> None:
    for serializer in ("pickle", "json"):
        redis.flushall()
        event = _event(read, "args=[1], queue='io', meta={'team': 'io'}", serializer)
        ledger = _decided_up_to(redis, event, NOW, serializer=serializer)
        backfill = Backfill.of_event(redis, app="test", event=event, serializer=serializer)
        assert backfill.push(NOW - 20, NOW + 0.5, NOW - 30) is Standing.OPEN
        identifier = ledger.job_id(Claim(event, NOW - 20))
        job = Job.fetch(identifier, connection=redis, serializer=resolve_serializer(serializer))
        assert Queue("io", connection=redis).job_ids == [identifier]
        assert (job.func_name, list(job.args)) == ("tasks.x", [1])
        assert job.meta == {
            "team": "io",
            "clock": {
                "event": "tasks.x",
                "scheduled_at": "2027-01-15T07:59:40Z",
                "previous_scheduled_at": "2027-01-15T07:59:30Z",
                "enqueued_at": "2027-01-15T08:00:00.500000Z",
                "backfill": True,
            },
        }


def test_an_occurrence_is_backfilled_once_even_when_its_job_is_gone(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    _decided_up_to(redis, event, NOW)
    assert _push(redis, event, NOW - 10) is Standing.OPEN
    assert _push(redis, event, NOW - 10) is Standing.BACKFILLED
    redis.delete(*redis.keys("rq:*"))
    assert _push(redis, event, NOW - 10) is Standing.BACKFILLED
    assert redis.keys("rq:*") == []


def test_an_occurrence_that_fired_is_left_out(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read)
    ledger = _decided_up_to(redis, event, NOW - 20)
    ledger.claim([Claim(event, NOW - 10), Claim(event, NOW)], NOW)
    assert [_push(redis, event, at) for at in (NOW - 10, NOW)] == [Standing.FIRED] * 2
    assert redis.llen("rq:queue:default") == 2


@pytest.mark.parametrize("forgotten", ["rq:*", "clock:test:history"])
def test_it_has_fired_if_its_job_is_there_or_the_history_says_so(
    forgotten: str, redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = _decided_up_to(redis, event, NOW - 10)
    ledger.claim([Claim(event, NOW)], NOW)
    if forgotten == "rq:*":
        redis.delete(*redis.keys("rq:*"))
    else:
        record = redis.hget(keys.decided("test"), "tasks.x")
        assert record
        head = as_text(record).partition("|")[0]
        redis.hset(keys.decided("test"), "tasks.x", head + "|")
    assert _push(redis, event, NOW) is Standing.FIRED


def test_an_occurrence_that_its_clock_may_still_enqueue_is_left_to_it(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read)
    ledger = _decided_up_to(redis, event, NOW - 10)
    assert _push(redis, event, NOW) is Standing.PENDING
    assert [outcome.kind for outcome in ledger.claim([Claim(event, NOW)], NOW)] == [Kind.FIRED]
    assert redis.llen("rq:queue:default") == 1


def test_the_record_stays_as_it_is(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read)
    _decided_up_to(redis, event, NOW)
    before = redis.hgetall(keys.decided("test"))
    _push(redis, event, NOW - 10)
    assert redis.hgetall(keys.decided("test")) == before


def test_looking_writes_nothing(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read)
    _decided_up_to(redis, event, NOW)
    before = sorted(redis.keys("*"))
    backfill = Backfill.of_event(redis, app="test", event=event, serializer="pickle")
    assert backfill.look(NOW - 10, NOW) is Standing.OPEN
    assert sorted(redis.keys("*")) == before


def test_backfilled_jobs_go_behind_what_waits_in_the_order_they_are_pushed(
    redis: Redis, read: ReadSchedule
) -> None:
    event = _event(read, "at_front=True")
    ledger = _decided_up_to(redis, event, NOW)
    for at in (NOW - 30, NOW - 20, NOW - 10):
        _push(redis, event, at)
    expected = [ledger.job_id(Claim(event, NOW - before)) for before in (30, 20, 10)]
    assert Queue("default", connection=redis).job_ids == expected


def test_a_job_that_expires_counts_from_now(redis: Redis, read: ReadSchedule) -> None:
    now = int(redis.time()[0])
    event = _event(read, "expires='1h'")
    ledger = _decided_up_to(redis, event, now)
    _push(redis, event, now - 7200, now)
    key = Job.key_for(ledger.job_id(Claim(event, now - 7200)))
    assert redis.pexpiretime(key) == (now + 3600) * 1000


def test_what_is_kept_of_backfills_is_bounded(
    redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "BACKFILLED", 3)
    event = _event(read)
    _decided_up_to(redis, event, NOW)
    for before in (50, 40, 30, 20, 10):
        _push(redis, event, NOW - before, NOW + 60 - before)
    key = keys.backfilled("test", "tasks.x")
    kept = [str(NOW - before).encode() for before in (30, 20, 10)]
    assert redis.zrange(key, 0, -1) == kept
    assert keys.TTL - 10 < redis.ttl(key) <= keys.TTL


def test_an_event_the_ledger_does_not_know_is_refused(redis: Redis, read: ReadSchedule) -> None:
    with pytest.raises(UnknownEventError, match=r"'test' has no 'tasks\.x'"):
        _push(redis, _event(read), NOW)


def test_a_queue_key_of_another_type_is_refused(redis: Redis, read: ReadSchedule) -> None:
    event = _event(read, "queue='broken'")
    _decided_up_to(redis, event, NOW)
    redis.set("rq:queue:broken", "x")
    with pytest.raises(NotAQueueError, match="rq:queue:broken holds no queue"):
        _push(redis, event, NOW - 10)
    assert redis.keys("rq:job:*") == []


def _event(read: ReadSchedule, options: str = "", serializer: str = "pickle") -> Event:
    text = f"every('10 seconds', 'tasks.x', {options})"
    return read(text, serializer=serializer).events["tasks.x"]


def _decided_up_to(
    redis: Redis, event: Event, decided: int, *, serializer: str = "pickle"
) -> Ledger:
    ledger = Ledger(redis, app="test", token="t", serializer=serializer)
    ledger.enrol([event], decided)
    return ledger


def _push(redis: Redis, event: Event, scheduled: int, now: float = NOW) -> Standing:
    return Backfill.of_event(redis, app="test", event=event, serializer="pickle").push(
        scheduled, now
    )


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_the_ledger_has_all_that_a_backfill_needs(
    serializer: str, redis: Redis, read: ReadSchedule
) -> None:
    options = "args=[1], queue='io', meta={'team': 'io'}, retry=2, expires='1h', at_front=True"
    event = _event(read, options, serializer)
    jobs = []
    for of_ledger in (True, False):
        redis.flushall()
        ledger = _decided_up_to(redis, event, NOW, serializer=serializer)
        backfill = (
            Backfill.of_ledger(redis, app="test", event=event.name)
            if of_ledger
            else Backfill.of_event(redis, app="test", event=event, serializer=serializer)
        )
        assert backfill.look(NOW - 20, NOW) is Standing.OPEN
        assert backfill.push(NOW - 20, NOW, NOW - 30) is Standing.OPEN
        assert backfill.push(NOW - 20, NOW, NOW - 30) is Standing.BACKFILLED
        jobs.append(redis.hgetall(f"rq:job:{ledger.job_id(Claim(event, NOW - 20))}"))
    assert jobs[0] == jobs[1]
    assert b"backfill" in jobs[0][b"meta"]
