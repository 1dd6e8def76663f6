"""Business days: held against a walk over the days of a calendar, and by examples."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock.recurrence.business import BusinessDays
from clock.recurrence.cron_rule import cron
from clock.recurrence.days import EPOCH, LAST_DAY
from tests.recurrence.reading import fires, rule
from tests.recurrence.test_properties import quick


def days(when: Any, until: str = "2027-01-01", **options: Any) -> list[str]:
    times = fires(rule(when, **options), "UTC", "2025-12-31T23:59:59", until)
    return [time[:10] for time in times if time[:10] < until]


def test_the_first_and_the_last_weekday_of_a_month() -> None:
    assert days("month", "2026-04-01", on="last weekday") == [
        "2026-01-30", "2026-02-27", "2026-03-31",
    ]  # fmt: skip
    assert days("month", "2026-04-01", on="first weekday") == [
        "2026-01-01", "2026-02-02", "2026-03-02",
    ]  # fmt: skip
    assert days("month", "2026-03-01", on="3rd weekday") == ["2026-01-05", "2026-02-04"]
    assert days("month", "2026-07-01", on="23rd weekday") == []


def test_the_weekday_nearest_to_a_day_stays_in_its_month() -> None:
    assert days("month", "2026-04-01", on="15 nearest weekday") == [
        "2026-01-15", "2026-02-16", "2026-03-16",
    ]  # fmt: skip
    # 2026-08-01 is a Saturday and 2026-05-31 a Sunday.
    assert days("month", on="1 nearest weekday")[7] == "2026-08-03"
    assert "2026-05-29" in days("month", on="31 nearest weekday")


def test_a_year_and_a_quarter_have_business_days() -> None:
    assert days("year", on="last weekday of december") == ["2026-12-31"]
    assert days("quarter", on="last weekday") == [
        "2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31",
    ]  # fmt: skip
    assert days("quarter", on=["first weekday", "last"]) == [
        "2026-01-01", "2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01", "2026-09-30",
        "2026-10-01", "2026-12-31",
    ]  # fmt: skip


def test_a_quarter_begins_in_january_or_in_the_month_of_its_anchor() -> None:
    assert days("quarter") == ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]
    assert days("quarter", on="last friday") == [
        "2026-03-27", "2026-06-26", "2026-09-25", "2026-12-25",
    ]  # fmt: skip
    assert days("quarter", anchor=date(2026, 2, 1)) == [
        "2026-02-01", "2026-05-01", "2026-08-01", "2026-11-01",
    ]  # fmt: skip
    assert days("quarter", on="last", anchor=date(2025, 11, 1)) == [
        "2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31",
    ]  # fmt: skip
    assert days("quarter", on=15) == days("3 months", on=15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 9 LW * *", {"period": "month", "on": "last weekday"}),
        ("0 9 15W * *", {"period": "month", "on": "15 nearest weekday"}),
        ("0 9 1W,15w * ?", {"period": "month", "on": ["1 nearest weekday", "15 nearest weekday"]}),
        ("0 9 15W 3 *", {"period": "year", "on": "15 nearest weekday of march"}),
    ],
)
def test_cron_notation_means_the_same(text: str, words: dict[str, Any]) -> None:
    period = words.pop("period")
    span = ("UTC", "2026-01-01", "2030-01-01")
    assert fires(cron(text), *span) == fires(rule(period, at="09:00", **words), *span)


def test_cron_notation_joins_business_days_and_others_by_or() -> None:
    assert days(cron("0 0 1,LW * *"), "2026-02-28") == [
        "2026-01-01", "2026-01-30", "2026-02-01", "2026-02-27",
    ]  # fmt: skip
    assert days(cron("0 0 15W * fri"), "2026-01-20") == [
        "2026-01-02", "2026-01-09", "2026-01-15", "2026-01-16",
    ]  # fmt: skip


def expected(
    month: date, nth: frozenset[int], nearest: frozenset[int], off: set[date]
) -> set[date]:
    """The business days of a month, by walking over its days."""
    length = calendar.monthrange(month.year, month.month)[1]
    every = [month.replace(day=day) for day in range(1, length + 1)]
    open_ = [day for day in every if day.isoweekday() < 6 and day not in off]
    chosen = {day for number, day in enumerate(open_, 1) if number in nth}
    chosen |= set(open_[-1:]) if -1 in nth else set()
    for number in nearest:
        for distance in range(31) if number <= length else ():
            before = [day for day in open_ if abs(day.day - number) == distance]
            if before:
                chosen.add(before[0])
                break
    return chosen


NUMBERS = st.frozensets(st.sampled_from([-1, 1, 2, 3, 20, 21, 22, 23]), max_size=3)
NEAREST = st.frozensets(st.integers(1, 31), max_size=3)
OFF = st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=60)


@quick
@given(NUMBERS, NEAREST, OFF)
def test_business_days_are_those_of_a_walk(
    nth: frozenset[int], nearest: frozenset[int], off: set[date]
) -> None:
    numbers = frozenset(day.toordinal() - EPOCH for day in off)
    business = BusinessDays(nth=nth, nearest=nearest, off=numbers)
    first, last = (date(2026, month, 1).toordinal() - EPOCH for month in (1, 12))
    walked = sorted(
        day.toordinal() - EPOCH
        for month in range(1, 12)
        for day in expected(date(2026, month, 1), nth, nearest, off)
    )
    answers, day = [], business.next(first)
    while day is not None and day < last:
        answers.append(day)
        day = business.next(day + 1)
    assert answers == walked
    assert business.how_many(first, last - 1) == len(walked)
    assert business.how_many(first + 40, first + 100) == sum(
        1 for day in walked if first + 40 <= day <= first + 100
    )


def test_a_search_for_a_business_day_ends() -> None:
    assert BusinessDays(nth=frozenset({23}), months=frozenset({2})).next(0) is None
    assert BusinessDays(nth=frozenset({1})).next(LAST_DAY) is None
    assert BusinessDays(nth=frozenset({1})).next(LAST_DAY + 1) is None


def test_a_month_may_be_off_as_a_whole() -> None:
    begin = date(2026, 1, 1)
    off = frozenset((begin + timedelta(days=day)).toordinal() - EPOCH for day in range(31))
    first = BusinessDays(nth=frozenset({1}), nearest=frozenset({15}), off=off)
    assert first.next(begin.toordinal() - EPOCH) == date(2026, 2, 2).toordinal() - EPOCH
