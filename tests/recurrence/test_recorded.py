"""What is stored of a recurrence is, byte for byte, what 0.1.0 stored of it.

``enrol.lua`` compares identities, and a description its text: a difference makes an event
"changed".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar

import pytest

import clock.recurrence
from clock.recurrence.dates import DateFunction, Dates
from clock.recurrence.days import DayRule
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.encoding import CLASSES, decode, encode
from clock.recurrence.identity import identity
from clock.recurrence.published import Published
from clock.recurrence.stream import Stream
from clock.recurrence.tags import Tags
from clock.schedule.event import Event
from tests.recurrence.recording import COUNT, read, stored

RECORDED = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("recorded_0_1_0.tsv").read_text("utf-8").splitlines()
]


def _stored_classes() -> list[Any]:
    """Recurrences, and the days and dates they are made of."""
    names = (module.name for module in iter_modules(clock.recurrence.__path__))
    modules = [import_module(f"clock.recurrence.{name}") for name in names]
    kinds = {kind for module in modules for kind in vars(module).values() if _is_stored(kind)}
    return sorted(kinds, key=lambda kind: str(kind.__name__))


def _is_stored(kind: Any) -> bool:
    # A function is stored by its name; what is published is itself what was stored.
    if not isinstance(kind, type) or not is_dataclass(kind) or kind in {DateFunction, Published}:
        return False
    is_part = hasattr(kind, "is_moved") or hasattr(kind, "how_many")
    return is_part or issubclass(kind, (Dates, DayRule))


STORED = _stored_classes()


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The recorded declarations, read by the code of today."""
    folder = tmp_path_factory.mktemp("recorded")
    return read(folder, [declaration for declaration, *_ in RECORDED])


def test_the_identity_of_every_recorded_recurrence_is_what_0_1_0_stored(
    events: list[Event],
) -> None:
    assert len(events) == COUNT
    now = [stored(event)[0] for event in events]
    assert _differing(now, [identity for _, identity, _ in RECORDED]) == []


def test_the_text_of_every_recorded_recurrence_is_what_0_1_0_stored(events: list[Event]) -> None:
    now = [stored(event)[1] for event in events]
    assert _differing(now, [text for *_, text in RECORDED]) == []


def test_a_text_of_0_1_0_is_read_as_the_recurrence_that_was_declared(events: list[Event]) -> None:
    texts = [(event, text) for event, (*_, text) in zip(events, RECORDED, strict=True) if text]
    assert len(texts) > COUNT * 0.8
    different = [event.name for event, text in texts if decode(text) != event.recurrence]
    assert different == []


def test_every_class_that_is_stored_has_a_tag_of_its_own() -> None:
    assert {kind.__name__ for kind in STORED if "tags" not in vars(kind)} == set()
    tags = [kind.tags.name for kind in STORED]
    assert len(tags) == len(set(tags)) == 17
    assert set(CLASSES) == set(tags) - {Stream.tags.name}


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: str(kind.__name__))
def test_every_field_with_content_has_a_tag_of_its_own(kind: Any) -> None:
    with_content = [field.name for field in fields(kind) if field.repr]
    assert list(kind.tags.fields.values()) == with_content


def test_no_name_of_a_class_is_stored(events: list[Event], renamed: None) -> None:
    identity.cache_clear()
    now = [" ".join(stored(event)) for event in events]
    assert _differing(now, [" ".join(line[1:]) for line in RECORDED]) == []


@pytest.fixture
def renamed() -> Iterator[None]:
    """Every class that is stored has another name."""
    names = [(kind, kind.__name__) for kind in STORED]
    for kind, _ in names:
        kind.__name__ = kind.__qualname__ = "Renamed"
    yield
    for kind, name in names:
        kind.__name__ = kind.__qualname__ = name


def test_a_field_of_another_name_is_stored_and_read_under_its_tag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Elapsed(period=91_357, anchor=7)
    renamed = Interval(length=91_357, through=7)
    monkeypatch.setitem(CLASSES, "Elapsed", Interval)
    assert identity(renamed) == identity(before)
    assert encode(renamed) == '{"is":"Elapsed","period":91357,"anchor":7}'
    assert decode(str(encode(renamed))) == renamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Elapsed, renamed."""

    tags: ClassVar = Tags("Elapsed", period="length", anchor="through")

    length: int
    through: int

    def next(self, after: int) -> int | None:
        return after + self.length

    def is_moved(self, instant: int) -> bool:
        return False


def _differing(now: list[str], before: list[str]) -> list[str]:
    pairs = zip(RECORDED, now, before, strict=True)
    return [f"{line}: {after} was {first}" for (line, *_), after, first in pairs if after != first]
