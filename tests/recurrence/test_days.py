from __future__ import annotations

from datetime import date

from clock.recurrence.days import (
    EPOCH,
    LAST_DAY,
    DayRule,
    Days,
    EveryDays,
    MonthDays,
    WeekDays,
    weekday,
)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def first(days: Days, text: str, count: int = 3) -> list[str]:
    dates: list[str] = []
    at = days.next(day(text))
    while at is not None and len(dates) < count:
        dates.append(date.fromordinal(at + EPOCH).isoformat())
        at = days.next(at + 1)
    return dates


def test_day_numbers_begin_on_a_thursday() -> None:
    assert weekday(0) == 3
    assert weekday(day("2001-01-01")) == 0


def test_every_third_day_is_counted_from_the_anchor_in_both_directions() -> None:
    thirds = EveryDays(3, day("2026-01-10"))
    assert first(thirds, "2026-01-10") == ["2026-01-10", "2026-01-13", "2026-01-16"]
    assert first(thirds, "2026-01-01") == ["2026-01-01", "2026-01-04", "2026-01-07"]


def test_a_week_begins_on_monday() -> None:
    fortnight = WeekDays((0, 6), 2, day("2026-01-07"))
    assert first(fortnight, "2026-01-05", 4) == [
        "2026-01-05", "2026-01-11", "2026-01-19", "2026-01-25",
    ]  # fmt: skip


def test_a_day_a_month_does_not_have_is_left_out() -> None:
    assert first(MonthDays(DayRule(days=frozenset({31}))), "2026-01-31") == [
        "2026-01-31", "2026-03-31", "2026-05-31",
    ]  # fmt: skip


def test_the_last_day_follows_leap_years() -> None:
    last = MonthDays(DayRule(before_end=frozenset({0})), months=frozenset({2}))
    assert first(last, "2026-01-01") == ["2026-02-28", "2027-02-28", "2028-02-29"]


def test_the_fifth_weekday_comes_only_where_there_are_five() -> None:
    fifth_friday = MonthDays(DayRule(nth=frozenset({(4, 5)})))
    assert first(fifth_friday, "2026-01-01") == ["2026-01-30", "2026-05-29", "2026-07-31"]


def test_the_last_weekday_of_a_month_is_in_its_last_seven_days() -> None:
    last_friday = MonthDays(DayRule(nth=frozenset({(4, -1)})))
    assert first(last_friday, "2026-01-01") == ["2026-01-30", "2026-02-27", "2026-03-27"]


def test_both_asks_for_number_and_weekday_at_once() -> None:
    rule = DayRule(days=frozenset({13}), weekdays=frozenset({4}), both=True)
    assert first(MonthDays(rule), "2026-01-01") == ["2026-02-13", "2026-03-13", "2026-11-13"]


def test_a_day_that_no_year_has_never_comes() -> None:
    assert MonthDays(DayRule(days=frozenset({30})), months=frozenset({2})).next(0) is None


def test_the_rarest_day_is_still_found() -> None:
    # 29 February on a Monday, asked right after one: forty years without, across 2100.
    rule = DayRule(days=frozenset({29}), weekdays=frozenset({0}), both=True)
    assert first(MonthDays(rule, months=frozenset({2})), "2072-03-01", 2) == [
        "2112-02-29", "2140-02-29",
    ]  # fmt: skip


def test_nothing_comes_after_the_last_day_there_is() -> None:
    every_month = MonthDays(DayRule(days=frozenset({1})))
    for days in (EveryDays(), EveryDays(7), WeekDays((0,)), every_month):
        assert days.next(LAST_DAY + 1) is None


def test_a_day_before_the_first_year_is_answered_by_the_first() -> None:
    assert MonthDays(DayRule(days=frozenset({1}))).next(1 - EPOCH - 40) == 1 - EPOCH
