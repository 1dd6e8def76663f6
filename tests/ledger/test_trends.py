"""What is counted over time, as it is stored."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from clock import keys
from clock.connection.client import connect
from clock.connection.scripts import script
from clock.decision import Kind
from clock.jobs import enqueue, enqueue_many
from clock.ledger.backfill import Backfill, Standing
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from clock.ledger.new_jobs import count_new_jobs
from clock.ledger.trends import (
    ALL_MINUTES,
    DAY,
    EVENT_DAYS,
    EVENT_HOURS,
    HOUR,
    MINUTE,
    QUEUE_DAYS,
    QUEUE_MINUTES,
    SCALES,
    Scale,
    TrendCounts,
)
from clock.observe.trends import Of, Span, read_enqueued, read_trends
from tests.conftest import ReadSchedule

NOW = 1_800_000_000
"""08:00:00 on 15 January 2027, a Friday."""

RIGHTS_OF_0_1_0 = (
    "resetkeys", "~clock:test:decided", "~clock:test:templates", "~clock:test:shapes",
    "~clock:test:backfilled:*", "~rq:queues", "~rq:queue:*", "~rq:job:*", "~rq:scheduled:*",
    "~clock:expires:*",
)  # fmt: skip


def buckets(redis: Redis, of: Of, name: str, span: Span, now: float = NOW) -> list[Any]:
    """What is read of each bucket with something in it: where it is, then its counts."""
    trend = read_trends(redis, "test", of, [name], span, now)[name]
    return [
        (bucket.at - int(now), bucket.enqueued, bucket.done, bucket.failed, round(bucket.waited, 3))
        for bucket in trend.buckets
        if bucket.enqueued or bucket.done or bucket.failed
    ]


def test_it_is_added_up_by_the_minute_the_hour_and_the_day(redis: Redis) -> None:
    for at, done in ((NOW, 1), (NOW - 59, 2), (NOW - 61, 4), (NOW - HOUR, 8), (NOW - DAY, 16)):
        for _ in range(2):
            counts = TrendCounts("test")
            counts.add("io", "e", at, done=done, waited=0.5)
            counts.write(redis)
    hour = [(-60, 0, 4, 0, 1.0), (-120, 0, 8, 0, 1.0), (0, 0, 2, 0, 1.0)]
    assert sorted(buckets(redis, Of.QUEUE, "io", Span.HOUR)) == sorted(hour)
    # The hour that began now, and the one before it.
    both = [(-HOUR, 0, 28, 0, 3.0), (0, 0, 2, 0, 1.0)]
    assert buckets(redis, Of.QUEUE, "io", Span.DAY) == both
    assert buckets(redis, Of.EVENT, "e", Span.DAY) == both
    assert buckets(redis, Of.EVENT, "e", Span.WEEK) == [(-DAY, 0, 32, 0, 1.0), *both]
    for of, name in ((Of.QUEUE, "io"), (Of.EVENT, "e")):
        days = [(done, waited) for _, _, done, _, waited in buckets(redis, of, name, Span.MONTH)]
        assert days == [(32, 1.0), (30, 4.0)]


def test_what_is_added_up_in_the_process_is_what_is_added_up_on_the_server(redis: Redis) -> None:
    counts, rest = TrendCounts("test"), TrendCounts("test")
    for minute in range(3):
        for queue in ("io", "low"):
            counts.add(queue, "e", NOW + 60 * minute, enqueued=1)
            counts.add(queue, None, NOW + 60 * minute, failed=1, waited=2.0)
    while counts:
        rest.add_all(counts.take(1))
    rest.add("io", "e", NOW, done=1, waited=-3.0)
    rest.write(redis)
    now = NOW + 120
    assert buckets(redis, Of.EVENT, "e", Span.DAY, now) == [(-120, 6, 1, 0, 0)]
    assert buckets(redis, Of.QUEUE, "low", Span.DAY, now) == [(-120, 3, 0, 3, 6.0)]
    assert [bucket[1:] for bucket in buckets(redis, Of.QUEUE, "io", Span.HOUR, now)] == [
        (1, 1, 1, 2.0),
        (1, 0, 1, 2.0),
        (1, 0, 1, 2.0),
    ]
    assert read_enqueued(redis, "test", NOW - DAY, now + 1) == {
        NOW: 2, NOW + 60: 2, NOW + 120: 2,
    }  # fmt: skip


@pytest.mark.parametrize("scale", SCALES)
def test_every_hash_is_gone_once_what_it_has_is_too_old(redis: Redis, scale: Scale) -> None:
    counts = TrendCounts("test")
    counts.add("io", "e", NOW, enqueued=1)
    counts.write(redis)
    ttl = redis.ttl(keys.trends("test", scale.hash_at(NOW)))
    wanted = {
        QUEUE_MINUTES: DAY, EVENT_HOURS: 8 * DAY, ALL_MINUTES: 8 * DAY,
        QUEUE_DAYS: 365 * DAY, EVENT_DAYS: 365 * DAY,
    }  # fmt: skip
    length = {MINUTE: HOUR, HOUR: DAY, DAY: 31 * DAY}[scale.cell]
    if scale is ALL_MINUTES:
        length = DAY
    # From its first cell on, so that its last is there for as long.
    assert wanted[scale] + length - 2 <= ttl <= scale.ttl <= wanted[scale] + length + HOUR + DAY
    assert len(redis.keys("*")) == len(SCALES)


def test_a_hash_has_room_for_so_many_names_and_those_it_has_go_on(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "TREND_FIELDS", 2)
    for name in ("a", "b", "c", "a"):
        counts = TrendCounts("test")
        counts.add(name, None, NOW, done=1)
        counts.write(redis)
    assert [buckets(redis, Of.QUEUE, name, Span.HOUR) for name in "abc"] == [
        [(0, 0, 2, 0, 0)],
        [(0, 0, 1, 0, 0)],
        [],
    ]


def test_a_damaged_counter_is_begun_anew_and_a_key_of_another_type_is_left(redis: Redis) -> None:
    redis.hset(keys.trends("test", QUEUE_MINUTES.hash_at(NOW)), "io", "x" * 20)
    redis.set(keys.trends("test", QUEUE_DAYS.hash_at(NOW)), "x")
    counts = TrendCounts("test")
    counts.add("io", None, NOW, done=2**32, failed=1, waited=float("inf"))
    assert b"WRONGTYPE" in redis.eval(script("clock.ledger", "trends.lua"), 0, *counts.words())
    assert buckets(redis, Of.QUEUE, "io", Span.HOUR) == [(0, 0, 2**32 - 1, 1, 0)]
    assert buckets(redis, Of.QUEUE, "io", Span.MONTH) == []


@pytest.mark.parametrize(
    "value",
    [b"", b"x", b"x" * 21, b"\xff" * 42, b"\0" * 21 * 61, struct.pack("<BIIId", 9, 1, 1, 1, -1)],
)
def test_what_cannot_be_read_hides_nothing_else(redis: Redis, value: bytes) -> None:
    for scale in SCALES:
        key = keys.trends("test", scale.hash_at(NOW))
        redis.hset(
            key, mapping={"bad": value, "e": struct.pack("<BIIId", scale.number(NOW), 1, 2, 3, 4)}
        )
    for span in Span:
        for of in Of:
            read = read_trends(redis, "test", of, ["bad", "e"], span, NOW)
            assert (read["e"].total.done, read["e"].total.wait) == (2, 0.8)
            assert all(bucket.waited >= 0 for bucket in read["bad"].buckets)
    read_enqueued(redis, "test", NOW - DAY, NOW)


def test_a_year_of_a_thousand_events_takes_at_most_twenty_megabytes(redis: Redis) -> None:
    before = _memory(redis)
    part = [f"tasks.reports.of.something-{number:03}" for number in range(100)]
    _fill(redis, EVENT_HOURS, part, EVENT_HOURS.ttl)
    _fill(redis, EVENT_DAYS, part, EVENT_DAYS.ttl + 31 * DAY)
    of_events = 10 * (_memory(redis) - before)
    queues = [f"queue-{number}" for number in range(10)]
    _fill(redis, QUEUE_MINUTES, queues, QUEUE_MINUTES.ttl + HOUR)
    _fill(redis, QUEUE_DAYS, queues, QUEUE_DAYS.ttl + 31 * DAY)
    _fill(redis, ALL_MINUTES, [str(hour) for hour in range(24)], ALL_MINUTES.ttl)
    of_queues = _memory(redis) - before - of_events // 10
    assert 5_000_000 < of_events + of_queues < 20 * 2**20


def _fill(redis: Redis, scale: Scale, names: list[str], seconds: int) -> None:
    """Let every cell of the last ``seconds`` have a value: one script call a hash."""
    hashes: dict[str, set[int]] = {}
    for at in range(NOW - seconds, NOW + DAY, scale.cell):
        hashes.setdefault(scale.hash_at(at), set()).add(scale.number(at))
    for end, numbers in hashes.items():
        value = b"".join(
            struct.pack("<BIIId", number, 3600, 3600, 12, 1234.5) for number in sorted(numbers)
        )
        redis.hset(keys.trends("test", end), mapping=dict.fromkeys(names, value))


def _memory(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


@pytest.fixture
def limited(redis: Redis, server_url: str) -> Iterator[Redis]:
    """A connection of a user with the keys that 0.1.0 needed."""
    user = ("ACL", "SETUSER", "limited", "on", "nopass", "+@all", *RIGHTS_OF_0_1_0)
    redis.execute_command(*user)  # type: ignore[no-untyped-call]
    with connect(server_url.replace("//", "//limited:any@")) as connection:
        yield connection
    redis.acl_deluser("limited")


def test_a_run_by_hand_and_a_backfill_count(redis: Redis, read: ReadSchedule) -> None:
    event = read("every('hour', 'tasks.x', queue='io')").events["tasks.x"]
    ledger = Ledger(redis, app="test", token="t")
    ledger.enrol([event], NOW - 1)
    assert ledger.claim([Claim(event, NOW)], NOW)[0].kind is Kind.FIRED
    run_now(redis, "test", "tasks.x", NOW)
    backfill = Backfill.of_event(redis, app="test", event=event, serializer="pickle")
    for _ in range(2):
        backfill.push(NOW - HOUR, NOW)
    assert buckets(redis, Of.EVENT, "tasks.x", Span.DAY) == [(0, 2, 0, 0, 0)]
    assert buckets(redis, Of.QUEUE, "io", Span.HOUR) == [(0, 2, 0, 0, 0)]
    assert read_enqueued(redis, "test", NOW, NOW + 60) == {NOW: 2}


def test_a_user_who_may_not_count_enqueues_all_the_same(
    redis: Redis, limited: Redis, read: ReadSchedule
) -> None:
    event = read("every('hour', 'tasks.x')").events["tasks.x"]
    Ledger(redis, app="test", token="t").enrol([event], NOW - 1)
    run_now(limited, "test", "tasks.x", NOW, "once")
    backfill = Backfill.of_event(limited, app="test", event=event, serializer="pickle")
    assert backfill.push(NOW - HOUR, NOW) is Standing.OPEN
    assert redis.llen("rq:queue:default") == 2
    assert redis.keys("clock:test:trends:*") == []


def test_jobs_of_an_application_are_counted_once_a_worker_comes_by(redis: Redis) -> None:
    now = time.time()
    enqueue("tasks.x", queue="io", connection=redis)
    enqueue_many([("tasks.x", {"queue": "io"}), ("tasks.x", {})] * 2, connection=redis)
    for name in ("once", "once"):
        enqueue("tasks.x", id=name, connection=redis)
    (key,) = redis.keys("clock:clock:trends:*")
    assert 0 < redis.ttl(key) <= DAY
    redis.hset(key, mapping={"x": 1, "1 y": "z", "99999999999999999999 a": 1, b"\xff": b"\xff"})
    for _ in range(2):
        count_new_jobs(redis, "clock", now)
    trends = read_trends(redis, "clock", Of.QUEUE, ["io", "default", "y"], Span.HOUR, now + 1)
    assert [trend.total.enqueued for trend in trends.values()] == [3, 3, 0]
    assert sum(bucket.enqueued for bucket in trends["io"].buckets[-2:]) == 3


def test_what_an_application_enqueued_is_left_where_one_may_not_read_it(
    redis: Redis, limited: Redis
) -> None:
    enqueue("tasks.x", connection=redis)
    count_new_jobs(limited, "clock", time.time())
    enqueue("tasks.x", connection=limited)
    assert len(redis.keys("clock:clock:trends:new:*")) == 1
    assert redis.llen("rq:queue:default") == 2
