"""The clock changes that touch a recurrence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.zone import BEGINNING, Zone

SHOWN = 10_000
"""The most occurrences looked at within one change; a recurrence with more fires every second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One clock change, as one recurrence meets it. Instants are UTC seconds since 1970.

    ``kind`` is ``"gap"`` where local times are skipped, ``"fold"`` where they come twice; ``at`` is
    its instant, ``before`` and ``after`` the offsets around it in seconds east of UTC. ``due`` are
    the local times (seconds since 1970 on the local clock) of the recurrence that are skipped or
    come twice, ``fires`` the instants at which it fires for them.
    """

    kind: Literal["gap", "fold"]
    at: int
    before: int
    after: int
    due: tuple[int, ...]
    fires: tuple[int, ...]


def changes(recurrence: Recurrence, zone: Zone, after: int, until: int) -> Iterator[Change]:
    """The clock changes in ``(after, until]`` that skip or repeat a time of ``recurrence``."""
    for at, before, offset in seams(zone, after, until):
        # As if the clocks had not been changed: what is due then and what fires in fact may differ.
        steady = _in_zone(recurrence, Zone(f"{zone.name}{before:+}", (BEGINNING,), (before,)))
        if steady == recurrence:
            return
        length = abs(offset - before)
        begin, end = (at, at + length) if offset > before else (at - length, at)
        due = [instant + before for instant in _some(steady, begin - 1, end - 1)]
        if not due:
            continue
        if offset > before:
            instants = _some(recurrence, at - 1, at + length - 1)
            fires = [instant for instant in instants if recurrence.is_moved(instant)]
        else:
            fires = _some(recurrence, begin - 1, at + length - 1)
        kind: Literal["gap", "fold"] = "gap" if offset > before else "fold"
        yield Change(
            kind=kind, at=at, before=before, after=offset, due=tuple(due), fires=tuple(fires)
        )


def seams(zone: Zone, after: int, until: int) -> Iterator[tuple[int, int, int]]:
    """The changes of a zone in ``(after, until]``: the instant, the offsets before and after it."""
    first = zone.segment(after) + 1
    for i in range(first, len(zone.starts)):
        if zone.starts[i] > until:
            return
        yield zone.starts[i], zone.offsets[i - 1], zone.offsets[i]


def _some(recurrence: Recurrence, after: int, until: int) -> list[int]:
    instants = []
    for instant in between(recurrence, after, until):
        instants.append(instant)
        if len(instants) == SHOWN:
            break
    return instants


def _in_zone(value: Any, zone: Zone) -> Any:
    """A recurrence with all its parts in another zone."""
    if isinstance(value, Zone):
        return zone
    if isinstance(value, tuple):
        return tuple(_in_zone(part, zone) for part in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
    moved = {name: _in_zone(part, zone) for name, part in parts.items()}
    changed = {name: part for name, part in moved.items() if part is not parts[name]}
    return replace(value, **changed) if changed else value
