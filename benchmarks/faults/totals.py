"""What became of every occurrence after failovers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.faults.checker import Verdict, check
from benchmarks.faults.intake import Taken
from benchmarks.faults.lineage import Lineage
from clock.decision import Decision, Kind
from clock.ledger.record import Record
from clock.schedule.event import Event


@dataclass(slots=True)
class Totals:
    """``verdict`` is on what the last primary knows. Beside it, what its predecessors had done and
    their replicas had not heard of: occurrences whose job workers took twice, because it was back
    on its queue or because a clock claimed again; and those no clock claimed again, whose job had
    been taken, or was gone, or which were decided not to fire.
    """

    verdict: Verdict
    back_on_queue: int = 0
    claimed_again: int = 0
    gone_but_taken: int = 0
    gone: int = 0
    gone_undecided: int = 0
    doubled: list[str] = field(default_factory=list)

    @property
    def overthrown(self) -> int:
        """Occurrences that came twice, never, or only from a primary that was overthrown."""
        twice = self.back_on_queue + self.claimed_again
        return twice + self.gone_but_taken + self.gone + self.gone_undecided


Takings = Mapping[str, Mapping[int, Sequence[Taken]]]


def add_up(
    events: Iterable[Event],
    *,
    since: int,
    until: int,
    taken: Takings,
    reasons: Mapping[str, Collection[Decision]],
    records: Mapping[str, Record],
    forgotten: Mapping[str, Mapping[int, Kind]],
    lineage: Lineage,
) -> Totals:
    """Judge every occurrence as ``check`` does, except those that only a lost primary knew.

    ``forgotten`` is what overthrown primaries had decided, event -> instant -> decision, be it that
    their successors know it or not; ``reasons`` is what the last primary and its forebears say.
    """
    received = {
        event: Counter(
            {
                instant: sum(lineage.has(job.position) for job in times)
                for instant, times in times_of.items()
            }
        )
        for event, times_of in taken.items()
    }
    overthrown = {
        event: {*forgotten.get(event, ()), *(at for at in times_of if not received[event][at])}
        for event, times_of in taken.items()
    }
    verdict = check(
        events,
        since=since,
        until=until,
        # Counter keeps zeros, which stand for nothing received.
        received={event: +counter for event, counter in received.items()},
        reasons=reasons,
        records=records,
        overthrown=overthrown,
    )
    totals = Totals(verdict)
    for event, instants in taken.items():
        for instant, times in instants.items():
            _count_again(totals, f"{event} at {instant}", times, lineage)
    for event, instant in verdict.gone:
        if taken[event].get(instant):
            totals.gone_but_taken += 1
        elif forgotten[event][instant].is_enqueued:
            totals.gone += 1
        else:
            totals.gone_undecided += 1
    verdict.doubled += totals.doubled
    return totals


def _count_again(totals: Totals, name: str, times: Sequence[Taken], lineage: Lineage) -> None:
    """Count a job that was taken more than once by its cause."""
    forgotten = [job for job in times if not lineage.has(job.position)]
    reigns = Counter(job.position.reign for job in forgotten)
    if any(count > 1 for count in reigns.values()):
        totals.doubled.append(f"{name} came twice from one primary that was overthrown")
    elif len(times) > 1 and forgotten:
        if len({job.enqueued_at for job in times}) == 1:
            totals.back_on_queue += 1
        else:
            totals.claimed_again += 1
