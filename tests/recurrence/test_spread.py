from __future__ import annotations

from clock.recurrence.spread import SpreadRule, stable_offset
from clock.recurrence.zone import END, zone
from tests.recurrence.reading import fires, rule, seconds


def test_every_occurrence_comes_later_by_the_same_offset() -> None:
    spread = SpreadRule(inner=rule("day", at="09:30"), over=600, by=75)
    assert fires(spread, "UTC", "2026-01-01", "2026-01-03") == [
        "2026-01-01T09:31:15+00:00", "2026-01-02T09:31:15+00:00",
    ]  # fmt: skip


def test_an_offset_is_stable_and_within_what_is_spread_over() -> None:
    assert stable_offset("reports.daily", 600) == 372
    assert {stable_offset(str(n), 5) for n in range(100)} == {0, 1, 2, 3, 4}
    assert stable_offset("anything", 1) == 0


def test_the_offset_is_spelled() -> None:
    spread = SpreadRule(inner=rule("day", at="09:30"), over=600, by=75)
    assert str(spread) == "day at 09:30 spread 10 minutes (+75 seconds)"


def test_a_moved_occurrence_stays_moved() -> None:
    spread = SpreadRule(inner=rule("day", at="02:30"), over=600, by=75)
    recurrence = spread.recurrence(zone("Europe/Berlin"), "after", "first")
    assert recurrence.is_moved(seconds("2026-03-29T01:01:15"))
    assert recurrence.next(END - 1) is None
