"""A bar for each of the last occurrences of an event, the newest on the right."""

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
    """The outcome of one occurrence, as the bars distinguish it."""

    OK = "succeeded"
    FIRED = "enqueued"
    """Its run is unknown, or has not ended."""
    LATE = "late"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"
    """No job was enqueued, although one should have been."""
    OPEN = "undecided"
    """Its time is past, and it is not decided."""


BARS = {
    Mark.OK: "v20h5v-20z",
    Mark.FIRED: "v20h5v-20z",
    Mark.LATE: "m0 5v15h5v-15z",
    Mark.FAILED: "v12h5v-12zm0 15v5h5v-5z",
    Mark.SKIPPED: "m0 14v6h5v-6z",
    Mark.MISSED: "m0 18v2h5v-2z",
    Mark.OPEN: "m0 18v2h5v-2z",
}
"""The shape of each bar, from its top left corner; no two outcomes differ by colour alone."""

_MARKS = {Group.SKIPPED: Mark.SKIPPED, Group.FAILED: Mark.FAILED, Group.MISSED: Mark.MISSED}
_FAILED = frozenset({RunOutcome.FAILED, RunOutcome.ABANDONED, RunOutcome.STOPPED})


def marks(event: EventStatus, outcomes: Mapping[int, RunOutcome], now: float) -> list[Mark]:
    """The marks of the last ``LENGTH`` occurrences, the newest last, at ``now`` (UTC seconds)."""
    newest_first = [Mark.OPEN for _ in _undecided(event, now)]
    for decision in () if event.record is None else event.record.history:
        if len(newest_first) >= LENGTH:
            break
        if decision.kind is not Kind.MANUAL:
            newest_first += [_mark(decision, outcomes)] * min(decision.count, LENGTH)
    return newest_first[:LENGTH][::-1]


@lru_cache(maxsize=1024)
def draw(shown: tuple[Mark, ...]) -> Markup:
    """The bars as an image, with a description in words."""
    bars_of: dict[Mark, list[str]] = {}
    for column, mark in enumerate(shown, LENGTH - len(shown)):
        bars_of.setdefault(mark, []).append(f"M{column * _STEP} 0{BARS[mark]}")
    paths = Markup("").join(
        Markup('<path class="m-{}" d="{}"/>').format(mark.name.lower(), "".join(bars))
        for mark, bars in bars_of.items()
    )
    return Markup(
        '<svg class="history-bars" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" '
        'height="{}">{}</svg>'
    ).format(words(shown), LENGTH * _STEP - 2, _HEIGHT, LENGTH * _STEP - 2, _HEIGHT, paths)


def words(shown: Sequence[Mark]) -> str:
    """The bars in words: ``last 24: 22 succeeded, 2 missed``."""
    counts = Counter(shown)
    parts = ", ".join(f"{counts[mark]} {mark}" for mark in Mark if counts[mark])
    return f"last {len(shown)}: {parts}" if shown else "nothing yet"


def _undecided(event: EventStatus, now: float) -> Iterator[int]:
    """The past occurrences that are not decided, but for those a clock may be deciding now."""
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
