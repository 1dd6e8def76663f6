"""What a campaign found, for people."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.faults.campaign import Outcome
from benchmarks.faults.faults import FAULTS

SHOWN = 20
"""Cases shown of each kind of error."""


def lines(outcome: Outcome) -> Iterator[str]:
    """The summary of a campaign, line by line."""
    verdict = outcome.verdict
    reasons = ", ".join(
        f"{kind.name.lower().replace('_', ' ')} {count}"
        for kind, count in verdict.reasons.most_common()
    )
    yield f"seed                  {outcome.seed}"
    yield f"seconds               {outcome.seconds:.0f}"
    yield f"occurrences expected  {verdict.expected}"
    yield f"fired                 {verdict.fired}"
    yield f"not fired, recorded   {verdict.reasons.total()} ({reasons})"
    yield f"lost                  {len(verdict.lost)}"
    yield f"doubled               {len(verdict.doubled)}"
    yield f"strange               {len(verdict.strange)}"
    yield f"clocks started        {outcome.starts}"
    yield f"clocks killed         {outcome.ends['killed']}"
    yield f"clocks told to end    {outcome.ends['stopped']}"
    yield f"clocks that died      {len(outcome.misbehaved)}"
    yield f"server killed         {outcome.server_kills}"
    yield f"server suspended      {outcome.server_suspensions}"
    for loss, count in outcome.losses.items():
        yield f"claims, {loss:<24}{count:>6}"
    for fault in FAULTS:
        yield f"begun: {fault.name:<36}{outcome.strikes[fault.name]:>6}"
    for name in ("lost", "doubled", "strange"):
        cases = getattr(verdict, name)
        yield from (f"{name}: {case}" for case in cases[:SHOWN])
        if len(cases) > SHOWN:
            yield f"{name}: and {len(cases) - SHOWN} more"
    yield from (f"died: {case}" for case in outcome.misbehaved[:SHOWN])
