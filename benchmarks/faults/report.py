"""What a campaign found, for people."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.faults.campaign import Outcome
from benchmarks.faults.checker import Verdict
from benchmarks.faults.proxy import Loss
from benchmarks.faults.slot import End

SHOWN = 20
"""Cases shown of each kind of error."""


def lines(outcome: Outcome) -> Iterator[str]:
    """The summary of a campaign, line by line."""
    totals = outcome.totals
    yield f"machine                {machine()}"
    yield f"server                 {outcome.server}, append-only file, appendfsync always"
    yield f"seed                   {outcome.seed}"
    yield f"minutes                {outcome.seconds / 60:.1f}"
    yield ""
    yield from of_occurrences(totals.verdict)
    yield ""
    yield "where data was lost"
    yield f"  flushed: left out by a clock that began anew      {totals.left_out_by_clocks:>7}"
    yield f"  flushed: enqueued twice, before and after         {totals.enqueued_again:>7}"
    yield f"  flushed: decided twice, not enqueued twice        {totals.decided_again:>7}"
    yield f"  restored: still to be made up, left out           {totals.left_out_by_restoring:>7}"
    yield f"  enqueued, lost from their queue                   {outcome.waiting:>7}"
    yield ""
    yield from of_clocks(outcome.starts, outcome.ends, outcome.misbehaved)
    yield f"server faults          {outcome.server_kills + outcome.server_suspensions:>7}"
    yield f"  killed               {outcome.server_kills:>7}"
    yield f"  suspended            {outcome.server_suspensions:>7}"
    yield f"claims interfered with {outcome.losses.total():>7}"
    for loss in Loss:
        yield f"  {loss:<27}{outcome.losses[loss]:>7}"
    yield "faults begun"
    for name, count in outcome.strikes.items():
        yield f"  {name:<36}{count:>7}"
    yield f"copies restored        {outcome.restored:>7}"
    yield from errors(totals.verdict, outcome.misbehaved)


def of_occurrences(verdict: Verdict) -> Iterator[str]:
    """What became of the occurrences."""
    yield f"occurrences expected   {verdict.expected:>7}"
    yield f"fired                  {verdict.fired:>7}"
    yield f"not fired, recorded    {verdict.reasons.total():>7}"
    for kind, count in verdict.reasons.most_common():
        yield f"  {kind.name.lower().replace('_', ' '):<21}{count:>7}"
    yield f"lost                   {len(verdict.lost):>7}"
    yield f"doubled                {len(verdict.doubled):>7}"
    yield f"early                  {len(verdict.early):>7}"
    yield f"strange                {len(verdict.strange):>7}"


def of_clocks(starts: int, ends: Counter[End], misbehaved: Sequence[str]) -> Iterator[str]:
    """What became of the clocks."""
    yield from of_processes("clocks", starts, ends)
    yield f"  ended badly          {len(misbehaved):>7}"


def of_processes(kind: str, starts: int, ends: Counter[End]) -> Iterator[str]:
    """What became of the clocks, or of the workers."""
    yield f"{f'{kind} started':<23}{starts:>7}"
    yield f"  killed               {ends['killed']:>7}"
    yield f"  told to end          {ends['stopped']:>7}"


def errors(verdict: Verdict, misbehaved: Sequence[str]) -> Iterator[str]:
    """Cases of each kind of error."""
    for name in ("lost", "doubled", "early", "strange"):
        cases = getattr(verdict, name)
        yield from (f"{name}: {case}" for case in cases[:SHOWN])
        if len(cases) > SHOWN:
            yield f"{name}: and {len(cases) - SHOWN} more"
    yield from (f"died: {case}" for case in misbehaved[:SHOWN])


def machine() -> str:
    """The machine and what runs on it, in words that name neither."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, RQ {version('rq')}, redis-py {version('redis')}"
    )


def record(file: Path, heading: str, lines: Iterable[str]) -> None:
    """Put ``lines`` in place of the first block under ``heading`` in a page of Markdown."""
    before, heading_line, after = file.read_text().partition(f"{heading}\n")
    between, fence, block = after.partition("```text\n")
    _, end, rest = block.partition("```\n")
    if not end:
        raise ValueError(f"{file} has no block under {heading!r}")
    written = "".join(f"{line}\n" for line in lines)
    file.write_text(before + heading_line + between + fence + written + end + rest)
