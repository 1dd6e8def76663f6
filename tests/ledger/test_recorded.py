"""A clock of today goes on where one of 0.1.0 stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue

from clock import Schedule, keys, load
from clock.ledger.clocks import parse_clocks
from clock.ledger.descriptions import read_descriptions
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from clock.recurrence.recurrence import between
from tests.ledger.recorded import AT, lost, restore
from tests.ledger.recording import APP, SCHEDULE
from tests.loop.heartbeat import START, Watched

SOON = AT + 12


@pytest.fixture
def schedule(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Schedule:
    """The schedule of the recorded ledger, which is in the server."""
    restore(redis)
    (tmp_path / "schedule.py").write_text(SCHEDULE)
    monkeypatch.chdir(tmp_path)
    return load("schedule.py")


def test_enrolling_finds_every_event_as_0_1_0_left_it(redis: Redis, schedule: Schedule) -> None:
    before = [redis.hgetall(key(APP)) for key in (keys.recurrences, keys.decided)]
    events = list(schedule.events.values())
    assert len(events) == 17
    Ledger(redis, app=APP, token="t").enrol(events, SOON)
    assert [redis.hgetall(key(APP)) for key in (keys.recurrences, keys.decided)] == before


def test_a_start_leaves_every_event_the_times_it_has_had_since_0_1_0(
    redis: Redis, schedule: Schedule
) -> None:
    before = read_descriptions(redis, APP)
    _run(redis, schedule)
    after = read_descriptions(redis, APP)
    assert after == before
    assert {name for name, description in after.items() if description.removed} == {"gone"}


def test_every_occurrence_since_0_1_0_stopped_is_decided_once(
    redis: Redis, schedule: Schedule
) -> None:
    before = {name: read_record(redis, APP, name) for name in schedule.events}
    jobs = _jobs(redis)
    _run(redis, schedule)
    after = {name: read_record(redis, APP, name) for name in schedule.events}
    decided = {}
    for name, event in schedule.events.items():
        due = list(between(event.recurrence, before[name].decided, int(SOON)))
        counted = sum(after[name].counters.values()) - sum(before[name].counters.values())
        assert counted == (len(due) if event.enabled else 0), name
        decided[name] = counted
    assert sum(1 for counted in decided.values() if counted) == 9

    now = _jobs(redis)
    assert len(set(now)) == len(now)
    fired = {name: after[name].counters["fired"] - before[name].counters["fired"] for name in after}
    assert len(set(now) - set(jobs)) == sum(fired.values())
    assert (fired["orders"], fired["feeds"]) == (4, 6)


def test_the_lives_of_both_clocks_of_0_1_0_are_read(redis: Redis, schedule: Schedule) -> None:
    lives = parse_clocks(APP, redis.hgetall(keys.clocks(APP)))
    assert [(life.host, life.file, life.events) for life in lives] == [
        ("host-1", "schedule.py", 17),
        ("host-1", "schedule.py", 18),
    ]
    stopped, killed = lives
    assert stopped.stopped == pytest.approx(AT, abs=5)
    assert killed.stopped is None
    assert killed.last_tick < stopped.started < stopped.last_tick


def test_a_clock_of_today_writes_every_field_that_one_of_0_1_0_reads(
    redis: Redis, schedule: Schedule
) -> None:
    before = _hash(redis, keys.descriptions(APP))
    (life, *_) = _hash(redis, keys.clocks(APP)).values()
    redis.delete(keys.clocks(APP))
    _run(redis, schedule)
    now = _hash(redis, keys.descriptions(APP))
    (own,) = _hash(redis, keys.clocks(APP)).values()
    assert set(json.loads(life)) <= set(json.loads(own))
    for name in schedule.events:
        (since, body), (since_now, body_now) = (
            lines[name].split(" ", 1) for lines in (before, now)
        )
        assert since_now == since
        assert lost(json.loads(body), json.loads(body_now)) == {}, name


def test_what_0_1_0_paused_or_left_on_a_queue_still_counts(
    redis: Redis, schedule: Schedule
) -> None:
    before = {name: read_record(redis, APP, name).counters for name in ("paused", "crawl")}
    _run(redis, schedule)
    after = {name: read_record(redis, APP, name).counters for name in ("paused", "crawl")}
    assert after["paused"]["fired"] == before["paused"]["fired"]
    assert after["paused"]["paused"] > before["paused"]["paused"]
    assert after["crawl"]["fired"] == before["crawl"]["fired"]
    assert after["crawl"]["overlap"] > before["crawl"]["overlap"]


def _run(redis: Redis, schedule: Schedule) -> None:
    """A clock that starts six seconds after the one of 0.1.0 and goes round up to ``SOON``."""
    clock = Watched(redis, schedule, app=APP, now=SOON - 6)
    clock.turn(SOON - START - 6 + step / 2 for step in range(13))


def _jobs(redis: Redis) -> list[str]:
    return [job for name in ("default", "slow") for job in Queue(name, connection=redis).job_ids]


def _hash(redis: Redis, key: str) -> dict[str, str]:
    fields: Mapping[Any, Any] = redis.hgetall(key)
    return {field.decode(): value.decode() for field, value in fields.items()}
