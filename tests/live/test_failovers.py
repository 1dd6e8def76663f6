"""The failovers of ``benchmarks/faults``, short: each kind alone, then mixed with other faults."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from benchmarks.faults.failovers import Failovers, lines

SECONDS = 40.0


@pytest.mark.long
@pytest.mark.timeout(240)
def test_under_failovers_clocks_lose_and_double_nothing_that_a_replica_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTS_EVENTS", "20")
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")
    stage = Failovers(tmp_path, seed, sys.stdout.write)

    outcome = stage.run(SECONDS)

    sys.stdout.write("\n".join(lines(outcome)))
    assert outcome.totals.verdict.lost == []
    assert outcome.totals.verdict.doubled == []
    assert outcome.totals.verdict.early == []
    assert outcome.totals.verdict.strange == []
    assert outcome.misbehaved == []
    assert outcome.totals.verdict.fired > 20 * SECONDS / 2
    assert outcome.failovers >= 3
    assert {fault.name for fault in stage.failovers} <= set(outcome.strikes)
