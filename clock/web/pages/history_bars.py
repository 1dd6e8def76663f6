"""The strip: what became of an event's last occurrences, a bar each, the newest at the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from markupsafe import Markup

from clock.decision import Decision, Group, Kind
from clock.observe.overdue import following
from clock.observe.state import LATE
from clock.observe.status import EventStatus
from clock.runs.run import RunOutcome

LENGTH = 24

_STEP, _WIDTH, _HEIGHT = 7, 5, 20


class Mark(StrEnum):
    """What became of one occurrence, as a strip tells it apart."""

    OK = "succeeded"
    FIRED = "enqueued"
    """Of its run nothing is known, or not yet."""
    LATE = "late"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"
    """Nothing was enqueued, and something should have been."""
    OPEN = "undecided"
    """Its time is past, and nothing was decided."""


BARS = {
    Mark.OK: "v20h5v-20z",
    Mark.FIRED: "v20h5v-20z",
    Mark.LATE: "m0 5v15h5v-15z",
    Mark.FAILED: "v12h5v-12zm0 15v5h5v-5z",
    Mark.SKIPPED: "m0 14v6h5v-6z",
    Mark.MISSED: "m0 18v2h5v-2z",
    Mark.OPEN: "m0 18v2h5v-2z",
}
"""The shape of each, drawn from the top left of its place; no two are told apart by colour only."""

_MARKS = {Group.SKIPPED: Mark.SKIPPED, Group.FAILED: Mark.FAILED, Group.MISSED: Mark.MISSED}
_FAILED = frozenset({RunOutcome.FAILED, RunOutcome.ABANDONED, RunOutcome.STOPPED})


def marks(event: EventStatus, outcomes: Mapping[int, RunOutcome], now: float) -> list[Mark]:
    """The marks of the last ``LENGTH`` occurrences, the newest last, at ``now`` (UTC seconds)."""
    found = _undecided(event, now)
    for decision in () if event.record is None else event.record.history:
        if len(found) >= LENGTH:
            break
        if decision.kind is not Kind.MANUAL:
            found += [_mark(decision, outcomes)] * min(decision.count, LENGTH)
    return found[:LENGTH][::-1]


@lru_cache(maxsize=1024)
def draw(found: tuple[Mark, ...]) -> Markup:
    """The strip as an image, with what it shows in words."""
    places: dict[Mark, list[str]] = {}
    start = LENGTH - len(found)
    for place, mark in enumerate(found, start):
        places.setdefault(mark, []).append(f"M{place * _STEP} 0{BARS[mark]}")
    paths = Markup("").join(
        Markup('<path class="m-{}" d="{}"/>').format(mark.name.lower(), "".join(bars))
        for mark, bars in places.items()
    )
    return Markup(
        '<svg class="strip" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" '
        'height="{}">{}</svg>'
    ).format(words(found), LENGTH * _STEP - 2, _HEIGHT, LENGTH * _STEP - 2, _HEIGHT, paths)


def words(found: Sequence[Mark]) -> str:
    """What a strip shows: ``last 24: 22 succeeded, 2 missed``."""
    counted = Counter(found)
    said = ", ".join(f"{counted[mark]} {mark}" for mark in Mark if counted[mark])
    return f"last {len(found)}: {said}" if found else "nothing yet"


def _undecided(event: EventStatus, now: float) -> list[Mark]:
    return [Mark.OPEN for _ in _due(event, now)]


def _due(event: EventStatus, now: float) -> Iterator[int]:
    """What is past and not decided. A clock may be deciding what is due this moment."""
    at = event.pending
    if event.recurrence is None or event.pause is not None:
        return
    for _ in range(LENGTH):
        if at is None or at > now - LATE:
            return
        yield at
        at = following(event.recurrence, at)


def _mark(decision: Decision, outcomes: Mapping[int, RunOutcome]) -> Mark:
    if decision.kind.is_enqueued:
        outcome = outcomes.get(decision.last)
        if outcome in _FAILED:
            return Mark.FAILED
        if decision.lateness is not None and decision.lateness >= LATE:
            return Mark.LATE
        if outcome is RunOutcome.SKIPPED:
            return Mark.SKIPPED
        return Mark.FIRED if outcome is None else Mark.OK
    return _MARKS[decision.kind.group]
