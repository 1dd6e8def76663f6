"""The rule for clock changes, told with Berlin.

2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
"""

from __future__ import annotations

import pytest

from clock.recurrence.cron_rule import CronRule
from clock.recurrence.rule import Rule
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import END, zone
from tests.recurrence.reading import fires, rule, seconds

GAP_DAY = ("2026-03-28T23:00", "2026-03-29T22:00")
FOLD_DAY = ("2026-10-24T22:00", "2026-10-25T23:00")


def on_gap_day(when: Rule, gap: Gap = "after") -> list[str]:
    return [time[11:] for time in fires(when, "Europe/Berlin", *GAP_DAY, gap=gap)]


def on_fold_day(when: Rule, fold: Fold = "first") -> list[str]:
    return [time[11:] for time in fires(when, "Europe/Berlin", *FOLD_DAY, fold=fold)]


def test_a_time_in_the_gap_fires_right_after_it() -> None:
    assert on_gap_day(rule("day", at="02:30")) == ["03:00:00+02:00"]


def test_several_times_in_the_gap_fire_once_after_it() -> None:
    assert on_gap_day(CronRule("0-59/15 2 * * *")) == ["03:00:00+02:00"]


def test_a_time_at_the_end_of_the_gap_and_one_in_it_fire_once() -> None:
    assert on_gap_day(rule("day", at=["02:30", "03:00"])) == ["03:00:00+02:00"]


def test_shift_moves_a_skipped_time_by_the_length_of_the_gap() -> None:
    assert on_gap_day(CronRule("0-59/15 2 * * *"), "shift") == [
        "03:00:00+02:00", "03:15:00+02:00", "03:30:00+02:00", "03:45:00+02:00",
    ]  # fmt: skip


def test_skip_leaves_a_skipped_time_out() -> None:
    assert on_gap_day(rule("day", at="02:30"), "skip") == []


def test_a_time_that_comes_twice_fires_the_first_time() -> None:
    assert on_fold_day(rule("day", at="02:30")) == ["02:30:00+02:00"]


def test_second_fires_in_the_second_pass() -> None:
    assert on_fold_day(rule("day", at="02:30"), "second") == ["02:30:00+01:00"]


def test_both_fires_in_both_passes() -> None:
    assert on_fold_day(rule("day", at="02:30"), "both") == ["02:30:00+02:00", "02:30:00+01:00"]


@pytest.mark.parametrize("gap", ["after", "shift", "skip"])
def test_a_wildcard_follows_real_time_through_the_gap(gap: Gap) -> None:
    hours = on_gap_day(rule("hour", at="**:15"), gap)
    assert hours[:3] == ["00:15:00+01:00", "01:15:00+01:00", "03:15:00+02:00"]
    assert len(hours) == 23


@pytest.mark.parametrize("fold", ["first", "second", "both"])
def test_a_wildcard_follows_real_time_through_both_passes(fold: Fold) -> None:
    hours = on_fold_day(rule("hour", at="**:15"), fold)
    assert hours[2:4] == ["02:15:00+02:00", "02:15:00+01:00"]
    assert len(hours) == 25


def test_a_star_in_the_minute_of_a_fixed_hour_follows_real_time() -> None:
    assert on_gap_day(CronRule("*/30 2 * * *")) == []
    assert on_fold_day(CronRule("*/30 2 * * *")) == [
        "02:00:00+02:00", "02:30:00+02:00", "02:00:00+01:00", "02:30:00+01:00",
    ]  # fmt: skip


def test_a_day_that_a_zone_skipped_fires_at_the_first_instant_after_it() -> None:
    # Samoa crossed the date line: 30 December 2011 does not exist there.
    around = ("2011-12-29T12:00+00:00", "2011-12-31T12:00+00:00")
    assert fires(rule("day", at="12:00"), "Pacific/Apia", *around) == [
        "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00",
    ]  # fmt: skip


def test_a_moved_occurrence_is_marked_as_moved() -> None:
    daily = rule("day", at=["02:30", "04:00"]).recurrence(zone("Europe/Berlin"), "after", "first")
    assert daily.is_moved(seconds("2026-03-29T01:00"))
    assert not daily.is_moved(seconds("2026-03-29T02:00"))
    assert not daily.is_moved(seconds("2026-03-28T01:30"))


def test_a_time_that_is_due_at_the_end_of_the_gap_anyway_is_not_moved_alone() -> None:
    three = rule("day", at="03:00").recurrence(zone("Europe/Berlin"), "after", "first")
    assert not three.is_moved(seconds("2026-03-29T01:00"))


def test_what_is_asked_from_the_middle_of_a_fold_goes_on() -> None:
    span = ("2026-10-25T00:45", "2026-10-26T00:00")
    daily = rule("day", at="02:30")
    assert fires(daily, "Europe/Berlin", *span) == []
    assert fires(daily, "Europe/Berlin", *span, fold="both") == ["2026-10-25T02:30:00+01:00"]


def test_time_begins_and_ends_with_what_a_datetime_can_hold() -> None:
    daily = rule("day").recurrence(zone("Europe/Berlin"), "after", "first")
    assert daily.next(-(10**12)) is not None
    assert daily.next(END) is None
    monthly = rule("month", on="last").recurrence(zone("America/New_York"), "after", "first")
    assert monthly.next(-(10**12)) is not None
    assert monthly.next(END) is None
