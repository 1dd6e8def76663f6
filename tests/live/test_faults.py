"""The fault campaigns of ``benchmarks/faults``, short: each kind of fault alone, then all mixed."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from benchmarks.faults import workers
from benchmarks.faults.campaign import Campaign
from benchmarks.faults.report import lines
from benchmarks.faults.workers import Workers
from clock.runs.run import RunOutcome
from tests.live.processes import needs_proc

SECONDS = 33.0


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [4, None], ids=["a seed known to do", "another seed"])
def test_under_every_fault_nothing_is_lost_and_nothing_doubled(
    seed: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTS_EVENTS", "40")
    seed = secrets.randbits(32) if seed is None else seed
    sys.stdout.write(f"seed {seed}\n")
    campaign = Campaign(tmp_path, seed, sys.stdout.write)

    outcome = campaign.run(SECONDS)

    sys.stdout.write("\n".join(lines(outcome)))
    assert outcome.totals.verdict.lost == []
    assert outcome.totals.verdict.doubled == []
    assert outcome.totals.verdict.early == []
    assert outcome.totals.verdict.strange == []
    assert outcome.misbehaved == []
    assert outcome.totals.verdict.fired > 40 * SECONDS
    assert outcome.ends["killed"] >= 10
    assert outcome.restored >= 1
    assert {fault.name for fault in campaign.faults} == set(outcome.strikes)


@needs_proc
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_under_every_fault_every_job_ends_as_its_policy_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTS_EVENTS", "60")
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")
    campaign = Workers(tmp_path, seed, sys.stdout.write)

    outcome = campaign.run(SECONDS)

    sys.stdout.write("\n".join(workers.lines(outcome)))
    assert outcome.ends.wrong == []
    assert outcome.verdict.is_clean
    assert outcome.misbehaved == []
    assert outcome.ends.finished > 10 * SECONDS
    assert outcome.worker_ends["killed"] >= 5
    assert outcome.strikes["child killed"] >= 10
    assert outcome.ends.runs[RunOutcome.ABANDONED] + outcome.ends.child_deaths >= 3
    assert {fault.name for fault in campaign.faults} == set(outcome.strikes)
