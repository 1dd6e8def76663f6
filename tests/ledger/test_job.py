"""A claim, a run by hand and a backfill build the same job."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq.serializers import resolve_serializer

from clock.ledger.backfill import Backfill, Standing
from clock.ledger.ledger import Claim, Ledger
from clock.ledger.manual import run_now
from tests.conftest import ReadSchedule

NOW = 1_800_000_000

DIFFERENT = {b"created_at", b"enqueued_at", b"meta"}
"""Fields that say when a job was enqueued, and for which occurrence."""


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_a_claim_a_run_by_hand_and_a_backfill_build_the_same_job(
    serializer: str, redis: Redis, read: ReadSchedule
) -> None:
    event = read(
        "every('10 seconds', 'tasks.x', args=[1], kwargs={'a': 2}, queue='io', retry=3, "
        "timeout='5m', result_ttl=60, failure_ttl=90, expires='1h', meta={'team': 'io'}, "
        "max_running=2, description='x', on_failure='tasks.y')",
        serializer=serializer,
    ).events["tasks.x"]
    ledger = Ledger(redis, app="test", token="t", serializer=serializer)
    ledger.enrol([event], NOW - 1)
    ledger.claim([Claim(event, NOW)], NOW)
    backfill = Backfill.of_event(redis, app="test", event=event, serializer=serializer)
    assert backfill.push(NOW - 20, NOW) is Standing.OPEN
    ids = {
        "claim": ledger.job_id(Claim(event, NOW)),
        "manual": run_now(redis, "test", "tasks.x", NOW),
        "backfill": ledger.job_id(Claim(event, NOW - 20)),
    }
    jobs: dict[str, dict[Any, Any]] = {
        way: redis.hgetall(f"rq:job:{identifier}") for way, identifier in ids.items()
    }
    metas = {way: resolve_serializer(serializer).loads(job[b"meta"]) for way, job in jobs.items()}
    occurrences = {way: meta.pop("clock") for way, meta in metas.items()}
    shared = [{name: job[name] for name in job if name not in DIFFERENT} for job in jobs.values()]
    assert shared[0] == shared[1] == shared[2]
    assert (
        metas["claim"] == metas["manual"] == metas["backfill"] == {"team": "io", "max_running": 2}
    )
    assert [occurrences["manual"].pop("manual"), occurrences["backfill"].pop("backfill")] == [
        True
    ] * 2
    assert occurrences["claim"].keys() == occurrences["manual"].keys()
    assert occurrences["claim"].keys() == occurrences["backfill"].keys()
    expiries = {way: redis.pexpiretime(f"rq:job:{identifier}") for way, identifier in ids.items()}
    assert set(expiries.values()) == {(NOW + 3600) * 1000}
