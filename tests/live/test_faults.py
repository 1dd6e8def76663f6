"""The fault campaign of ``benchmarks/faults``, short: every kind of fault alone, then all mixed."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from benchmarks.faults.campaign import Campaign
from benchmarks.faults.report import lines

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
