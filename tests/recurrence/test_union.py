from __future__ import annotations

from clock.recurrence.elapsed import Elapsed
from clock.recurrence.recurrence import between
from clock.recurrence.union import Union
from tests.recurrence.reading import fires, rule


def test_a_union_fires_when_any_part_does_and_once_when_several_do() -> None:
    joined = Union((Elapsed(period=4, anchor=0), Elapsed(period=6, anchor=0)))
    assert list(between(joined, 0, 14)) == [4, 6, 8, 12]


def test_a_union_ends_when_all_its_parts_have() -> None:
    assert Union(()).next(0) is None


def test_fixed_and_starred_times_of_one_event_keep_their_own_rule() -> None:
    mixed = rule("monday", at="02:30")
    hours = rule("hour", at=["**:15", "**:45"])
    assert fires(mixed, "UTC", "2026-01-04T00:00", "2026-01-06T00:00") == [
        "2026-01-05T02:30:00+00:00"
    ]
    assert len(fires(hours, "Europe/Berlin", "2026-10-24T22:00", "2026-10-25T23:00")) == 50
