"""A recurrence as JSON text, and back: whoever has the text can compute every occurrence.

A dataclass becomes an object whose ``is`` is the tag of its class, a zone its name, a set and a
range objects of their own; a tuple is an array. A stream and a function of dates have no content
that could be written.

The tags of classes and fields are in the text, and a ledger keeps it: a text with other tags cannot
be read by a release from before, nor the other way round.
"""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, cast

from clock.errors import RecurrenceError
from clock.recurrence.bounds import Bounded
from clock.recurrence.business import BusinessDays
from clock.recurrence.content import check_parts, checked_range
from clock.recurrence.dates import DateSet
from clock.recurrence.days import DayRule, EveryDays, ListedDays, MonthDays, WeekDays
from clock.recurrence.difference import DaysOff, Difference
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.local_times import Between, OnDays
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.spread import Later
from clock.recurrence.union import Union
from clock.recurrence.wall import Wall
from clock.recurrence.zone import Zone, zone

CLASSES: dict[str, Any] = {
    kind.tags.name: kind
    for kind in (
        Between, Bounded, BusinessDays, DateSet, DayRule, DaysOff, Difference, Elapsed, EveryDays,
        Later, ListedDays, MonthDays, OnDays, Union, Wall, WeekDays,
    )
}  # fmt: skip
"""All that a recurrence is made of, by tag, but for what has no content."""

LONGEST_CACHED = 10_000
"""Characters of a text that is kept in memory with its recurrence."""


@lru_cache(maxsize=4096)
def encode(recurrence: Recurrence) -> str | None:
    """``recurrence`` as compact JSON; None where a part of it has no content to write."""
    return _text(recurrence)


def decode(text: str) -> Recurrence:
    """The recurrence of a text that ``encode`` wrote, equal to the one it was given.

    Raises RecurrenceError for any other text.
    """
    return _cached(text) if len(text) <= LONGEST_CACHED else _read(text)


@lru_cache(maxsize=4096)
def _cached(text: str) -> Recurrence:
    return _read(text)


def _read(text: str) -> Recurrence:
    try:
        value = _value(json.loads(text))
    except (
        LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError
    ) as error:  # fmt: skip
        raise RecurrenceError(f"not the text of a recurrence: {error!r}") from None
    if not hasattr(value, "next"):
        raise RecurrenceError(f"not the text of a recurrence: {text[:80]!r}")
    return cast("Recurrence", value)


@lru_cache(maxsize=4096)
def _shared(value: Any) -> str | None:
    return _object(value)


def _text(value: Any) -> str | None:
    if isinstance(value, Zone):
        return f'{{"zone":{json.dumps(value.name)}}}'
    if is_dataclass(value):
        # What several events have in common lies below what each has of its own, as a spread.
        return _object(value) if isinstance(value, Later) else _shared(cast("Any", value))
    if isinstance(value, range):
        return f'{{"range":[{value.start},{value.stop},{value.step}]}}'
    if isinstance(value, frozenset):
        return _array('{"set":[', [_text(item) for item in sorted(value)], "]}")
    if isinstance(value, tuple):
        return _array("[", [_text(item) for item in value], "]")
    if isinstance(value, bool | int | str):
        return json.dumps(value)
    return None


def _object(value: Any) -> str | None:
    tags = getattr(type(value), "tags", None)
    if tags is None or CLASSES.get(tags.name) is not type(value):
        return None
    parts = []
    for tag, attribute in tags.fields.items():
        text = _text(getattr(value, attribute))
        if text is None:
            return None
        parts.append(f',"{tag}":{text}')
    return f'{{"is":"{tags.name}"{"".join(parts)}}}'


def _array(begin: str, parts: list[str | None], end: str) -> str | None:
    texts = [part for part in parts if part is not None]
    return f"{begin}{','.join(texts)}{end}" if len(texts) == len(parts) else None


def _value(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(map(_value, data))
    if not isinstance(data, dict):
        return data
    if "zone" in data and "is" not in data:
        return zone(data["zone"])
    if "range" in data:
        return checked_range(*data["range"])
    if "set" in data:
        return frozenset(map(_value, data["set"]))
    kind = CLASSES[data["is"]]
    attributes = kind.tags.fields
    parts = {attributes[tag]: _value(part) for tag, part in data.items() if tag != "is"}
    return check_parts(kind(**parts))
