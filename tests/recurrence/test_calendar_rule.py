from __future__ import annotations

from datetime import date

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.cron_rule import cron
from clock.recurrence.zone import zone
from tests.recurrence.reading import fires, rule


def days(times: list[str]) -> list[str]:
    return [time[:10] for time in times]


def year(period: str, count: int = 4, **options: object) -> list[str]:
    """The first days of 2026 on which a period fires in UTC."""
    when = rule(period, **options)  # type: ignore[arg-type]
    return days(fires(when, "UTC", "2025-12-31T23:59:59", "2032-12-31T00:00"))[:count]


def test_a_minute_an_hour_and_a_day_begin_at_their_beginning() -> None:
    span = ("2026-01-01T00:00", "2026-01-01T02:00")
    assert len(fires(rule("minute"), "UTC", *span)) == 120
    assert [time[11:19] for time in fires(rule("hour"), "UTC", *span)] == ["01:00:00", "02:00:00"]
    assert year("day", 2) == ["2026-01-01", "2026-01-02"]


def test_seconds_may_stand_in_a_time() -> None:
    times = fires(rule("hour", at="**:15:30"), "UTC", "2026-01-01T00:00", "2026-01-01T02:00")
    assert [time[11:19] for time in times] == ["00:15:30", "01:15:30"]
    times = fires(rule("minute", at="**:**:20"), "UTC", "2026-01-01T00:00", "2026-01-01T00:02")
    assert [time[11:19] for time in times] == ["00:00:20", "00:01:20"]


def test_several_times_fire_in_order() -> None:
    times = fires(rule("day", at=["18:00", "09:30"]), "UTC", "2026-01-01", "2026-01-02")
    assert [time[11:16] for time in times] == ["09:30", "18:00"]


def test_weekday_and_weekend_are_five_and_two_days() -> None:
    assert year("weekday") == ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06"]
    assert year("weekend") == ["2026-01-03", "2026-01-04", "2026-01-10", "2026-01-11"]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("monday", 5), ("tuesday", 6), ("wednesday", 7), ("thursday", 1),
        ("friday", 2), ("saturday", 3), ("sunday", 4),
    ],
)  # fmt: skip
def test_a_day_of_the_week_comes_weekly(name: str, day: int) -> None:
    assert year(name, 2) == [f"2026-01-{day:02}", f"2026-01-{day + 7:02}"]


def test_a_week_may_have_several_weekdays_in_its_times() -> None:
    assert year("week", at=["Monday 09:00", "Friday 17:00"]) == [
        "2026-01-02", "2026-01-05", "2026-01-09", "2026-01-12",
    ]  # fmt: skip


def test_several_weekdays_come_weekly() -> None:
    days = ["2026-01-01", "2026-01-05", "2026-01-08", "2026-01-12"]
    assert year(["monday", "thursday"]) == days  # type: ignore[arg-type]
    assert year("monday, thursday") == days
    assert year("tue-thu") == ["2026-01-01", "2026-01-06", "2026-01-07", "2026-01-08"]


def test_several_hours_at_a_minute_are_counted_from_midnight() -> None:
    times = fires(rule("8 hours", at="**:20"), "UTC", "2026-01-01", "2026-01-02T01:00")
    assert [time[:16] for time in times] == [
        "2026-01-01T00:20", "2026-01-01T08:20", "2026-01-01T16:20", "2026-01-02T00:20",
    ]  # fmt: skip
    assert rule("3 hours", at="**:20").recurrence(zone("UTC"), "after", "first") == cron(
        "20 */3 * * *"
    ).recurrence(zone("UTC"), "after", "first")


def test_counted_units_are_counted_from_2001_by_default() -> None:
    assert year("3 days", 2) == ["2026-01-02", "2026-01-05"]
    assert (date(2026, 1, 2) - date(2001, 1, 1)).days % 3 == 0
    assert year("2 weeks", 2, at="Monday 09:00") == ["2026-01-12", "2026-01-26"]
    assert (date(2026, 1, 12) - date(2001, 1, 1)).days % 14 == 0
    assert year("2 months", 3) == ["2026-01-01", "2026-03-01", "2026-05-01"]
    assert year("2 years", 2) == ["2027-01-01", "2029-01-01"]


def test_counted_units_are_counted_from_their_anchor() -> None:
    assert year("3 days", 2, anchor=date(2026, 6, 3)) == ["2026-01-01", "2026-01-04"]
    assert year("2 weeks", 2, anchor=date(2026, 1, 14)) == ["2026-01-14", "2026-01-28"]
    assert year("5 months", 3, anchor=date(2026, 2, 17)) == [
        "2026-02-17", "2026-07-17", "2026-12-17",
    ]  # fmt: skip
    assert year("2 years", 2, anchor=date(2020, 5, 17)) == ["2026-05-17", "2028-05-17"]
    assert year("year", 2, anchor=date(2020, 5, 17)) == ["2026-05-17", "2027-05-17"]


def test_a_month_fires_on_its_first_day_or_those_of_on() -> None:
    assert year("month", 2) == ["2026-01-01", "2026-02-01"]
    assert year("month", 2, on=15) == ["2026-01-15", "2026-02-15"]
    assert year("month", 2, on="last") == ["2026-01-31", "2026-02-28"]
    assert year("month", 2, on="last friday") == ["2026-01-30", "2026-02-27"]
    assert year("month", 2, on="2nd tuesday") == ["2026-01-13", "2026-02-10"]
    assert year("month", 4, on=[1, "last"]) == [
        "2026-01-01", "2026-01-31", "2026-02-01", "2026-02-28",
    ]  # fmt: skip


def test_a_year_fires_on_its_first_day_or_those_of_on() -> None:
    assert year("year", 2) == ["2026-01-01", "2027-01-01"]
    assert year("year", 2, on="24 december") == ["2026-12-24", "2027-12-24"]
    assert year("year", 2, on="last friday of march") == ["2026-03-27", "2027-03-26"]
    assert year("year", 2, on="29 february") == ["2028-02-29", "2032-02-29"]
    assert year("year", 3, on=["24 december", "1 may"]) == [
        "2026-05-01", "2026-12-24", "2027-05-01",
    ]  # fmt: skip


def test_a_list_that_names_one_impossible_and_one_possible_day_still_fires() -> None:
    assert year("month", 2, on=[31, 30]) == ["2026-01-30", "2026-01-31"]


def test_equal_rules_in_equal_zones_are_one_recurrence() -> None:
    where = zone("Asia/Tokyo")
    first = rule("day", at=["9:30", "18:00"]).recurrence(where, "after", "first")
    second = rule("1 day", at=["18:00", "09:30", "09:30"]).recurrence(where, "after", "first")
    assert first is second


def test_gap_and_fold_make_no_difference_to_a_recurrence_that_follows_real_time() -> None:
    where = zone("Asia/Tokyo")
    hourly = rule("hour")
    assert hourly.recurrence(where, "skip", "both") == hourly.recurrence(where, "after", "first")


def test_a_year_with_on_in_a_fold_still_fires_once() -> None:
    when = rule("year", on="last sunday of october", at="02:30")
    assert fires(when, "Europe/Berlin", "2026-01-01", "2026-12-31") == ["2026-10-25T02:30:00+02:00"]


def test_an_impossible_day_of_the_year_is_refused() -> None:
    with pytest.raises(RecurrenceError) as caught:
        rule("year", on="30 february")
    assert str(caught.value) == "on='30 february': February has 29 days at most"


@pytest.mark.parametrize(
    ("period", "at", "message"),
    [
        (
            "5 hours",
            "**:20",
            "at= does not go with '5 hours', which is elapsed time and has no fixed hour; "
            "write at= with 'hour', 'day', a weekday or 'month', or use cron(...)",
        ),
        (
            "3 hours",
            "00:20",
            "at='00:20' does not go with '3 hours', counted from midnight; "
            "write at='**:20', or every('day', at='00:20')",
        ),
        (
            "3 hours",
            "1*:20",
            "at='1*:20' does not go with '3 hours', counted from midnight; "
            "write at='**:20', or every('day', at='1*:20')",
        ),
        (
            "2 hours",
            "20",
            "at='20' is the hour 20:00; for a minute write every('2 hours', at='**:20')",
        ),
    ],
)
def test_several_hours_take_only_a_minute(period: str, at: str, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        rule(period, at=at)
    assert str(caught.value) == message


def test_several_hours_at_a_minute_take_no_anchor() -> None:
    with pytest.raises(RecurrenceError) as caught:
        rule("3 hours", at="**:20", anchor=date(2026, 1, 1))
    assert str(caught.value) == "anchor= does not go with '3 hours' and at=, counted from midnight"
