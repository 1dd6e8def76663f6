"""Periods between two times of day, on some days, and without some."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.combination import period
from clock.recurrence.encoding import decode, encode
from clock.recurrence.identity import identity
from clock.recurrence.sentence import sentence
from clock.recurrence.zone import zone
from clock.schedule import day_checks
from tests.recurrence.reading import fires, narrow, rule

DAY = ("2026-01-01T00:00", "2026-01-02T00:00")


def clocks(when: Any, after: str = DAY[0], until: str = DAY[1], **options: Any) -> list[str]:
    return [at[11:16] for at in fires(narrow(rule(when), **options), "UTC", after, until)]


def test_both_ends_are_included() -> None:
    assert clocks("30 minutes", between="09:00-10:30") == ["09:00", "09:30", "10:00", "10:30"]
    assert clocks("40 minutes", between=("9am", time(10, 45))) == ["09:20", "10:00", "10:40"]


def test_a_span_may_lie_over_midnight() -> None:
    assert clocks("2 hours", between="22:00-02:00") == ["02:00", "22:00", "00:00"]


def test_days_are_those_of_the_local_clock_when_it_fires() -> None:
    friday_night = narrow(rule("hour"), between="23:00-01:00", days="friday")
    assert fires(friday_night, "UTC", "2026-01-01", "2026-01-04") == [
        "2026-01-02T00:00:00+00:00", "2026-01-02T01:00:00+00:00", "2026-01-02T23:00:00+00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("weekday", [1, 2, 5, 6, 7, 8]),
        ("mon-wed", [5, 6, 7]),
        (["sat", "monday"], [3, 5]),
        ("weekend, thursday", [1, 3, 4, 8]),
        ({date(2026, 1, 2), date(2026, 1, 7)}, [2, 7]),
        ([date(2026, 1, 8)], [8]),
        (day_checks.days_off({date(2026, 1, 4)}), [4]),
    ],
)
def test_days_are_weekdays_or_dates(days: Any, expected: list[int]) -> None:
    times = fires(narrow(rule("day"), days=days), "UTC", "2025-12-31T12:00", "2026-01-08T12:00")
    assert [int(at[8:10]) for at in times] == expected


def test_dates_are_left_out_by_except() -> None:
    off = {date(2026, 1, 2), date(2026, 1, 3)}
    assert narrow(rule("day"), except_=off) == rule(period("day") - off)
    times = fires(narrow(rule("day"), except_=off), "UTC", "2026-01-01", "2026-01-05T12:00")
    assert [at[:10] for at in times] == ["2026-01-04", "2026-01-05"]
    times = fires(narrow(rule("day"), except_=date(2026, 1, 2)), "UTC", "2026-01-01", "2026-01-03")
    assert [at[:10] for at in times] == ["2026-01-03"]


def test_with_business_days_except_is_their_calendar() -> None:
    off = {date(2026, 1, 1), date(2026, 1, 30), date(2026, 2, 16)}
    span = ("UTC", "2025-12-31T12:00", "2026-02-28")
    last = narrow(rule("month", on="last weekday"), except_=off)
    assert [at[:10] for at in fires(last, *span)] == ["2026-01-29", "2026-02-27"]
    assert str(last).startswith("month on last weekday except {2026-01-01, ")
    first = narrow(rule("month", on=["first weekday", "15 nearest weekday", 1]), except_=off)
    assert [at[:10] for at in fires(first, *span)] == [
        "2026-01-02", "2026-01-15", "2026-02-01", "2026-02-02", "2026-02-13",
    ]  # fmt: skip
    assert fires(narrow(rule("0 0 LW * *"), except_=off), *span) == fires(last, *span)


def test_business_days_take_no_function_of_a_date() -> None:
    with pytest.raises(RecurrenceError, match="write the dates as a set, or holidays"):
        narrow(rule("month", on="last weekday"), except_=lambda day: day.day == 1)


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (day_checks.between, "09:00", "'09:00' must be two times of day, as in '09:00-13:30'"),
        (day_checks.between, 9, "9 must be two times of day, as in '09:00-13:30'"),
        (day_checks.between, "09:00-09:00", "'09:00-09:00' begins and ends at the same time"),
        (day_checks.between, "**:00-12:00", "'**:00' must be one time of day, as in '09:00'"),
        (day_checks.between, "09:00-25:00", "at='25:00': an hour is from 00 to 23, not '25'"),
        (day_checks.days, "wekday", "'wekday' is not a weekday; did you mean 'wednesday'?"),
        (day_checks.days, 3, "3 must be weekdays, as in 'mon-fri', or a set of dates"),
        (day_checks.days, [], "[] must be weekdays, as in 'mon-fri', or a set of dates"),
        (day_checks.days, [3], "3 is not a weekday; write one like 'monday'"),
        (
            day_checks.days_off,
            "friday",
            "'friday' must be dates: a set of them, holidays('file.ics') or a function of a date; "
            "weekdays are given by days=",
        ),
    ],
)
def test_a_wrong_span_or_day_is_refused(check: Any, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message is compared
        check(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "options",
    [{"between": "10:00-12:00"}, {"days": "weekend"}, {"days": {date(1999, 1, 4)}}],
)
def test_what_never_fires_is_refused(options: Any) -> None:
    when = narrow(rule("weekday", at="09:00"), **options)
    with pytest.raises(RecurrenceError, match="never fires: nothing is left"):
        when.recurrence(zone("UTC"), "after", "first")


def test_a_narrowed_period_in_words() -> None:
    when = narrow(rule("5 minutes"), between="09:00-13:30", days="mon-fri")
    assert str(when) == "5 minutes on weekday between 09:00-13:30"
    recurrence = when.recurrence(zone("UTC"), "after", "first")
    assert sentence(recurrence) == (
        "every 5 minutes of real time, on Monday to Friday, between 09:00 and 13:30"
    )
    dates = narrow(rule("day"), days={date(2026, 1, 2)}).recurrence(zone("UTC"), "after", "first")
    assert sentence(dates) == "every day at 00:00, on the days of {2026-01-02}"


def test_a_narrowed_period_is_stored_whole() -> None:
    when = [
        narrow(rule("5 minutes"), between="09:00-13:30", days="mon-fri"),
        narrow(rule("5 minutes"), between="09:00-13:31", days="mon-fri"),
        narrow(rule("5 minutes"), between="09:00-13:30", days={date(2026, 1, 2)}),
        narrow(rule("month", on="last weekday"), except_={date(2026, 1, 30)}),
        narrow(rule("month", on="last weekday"), except_={date(2026, 1, 29)}),
    ]
    recurrences = [rule_.recurrence(zone("UTC"), "after", "first") for rule_ in when]
    assert [decode(str(encode(recurrence))) for recurrence in recurrences] == recurrences
    assert len({identity(recurrence) for recurrence in recurrences}) == 5
