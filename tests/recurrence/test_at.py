from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.at import Written, parse_at


def test_a_time_of_day_is_its_seconds_from_midnight() -> None:
    assert parse_at("09:30").seconds == (9 * 3600 + 30 * 60,)
    assert parse_at("9:30").seconds == (9 * 3600 + 30 * 60,)
    assert parse_at("12:00:30").seconds == (12 * 3600 + 30,)


def test_two_stars_stand_for_every_hour() -> None:
    assert parse_at("**:15").seconds == tuple(hour * 3600 + 900 for hour in range(24))
    assert parse_at("*:15").seconds == parse_at("**:15").seconds


def test_a_digit_and_a_star_stand_for_ten() -> None:
    assert parse_at("1*:30").seconds == tuple(hour * 3600 + 1800 for hour in range(10, 20))
    assert parse_at("2*:00").seconds == tuple(hour * 3600 for hour in range(20, 24))
    assert parse_at("08:1*").seconds == tuple(8 * 3600 + m * 60 for m in range(10, 20))


def test_a_weekday_may_stand_before_the_time() -> None:
    assert parse_at("Monday 12:00").weekday == 0
    assert parse_at("sun 12:00").weekday == 6


def test_only_a_field_that_begins_with_a_star_follows_real_time() -> None:
    assert parse_at("**:15").leading_star
    assert parse_at("02:**").leading_star
    assert not parse_at("1*:30").leading_star
    assert not parse_at("02:1*").leading_star


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2:45pm", "14:45"),
        ("2:45 PM", "14:45"),
        ("5:00 am", "05:00"),
        ("9am", "09:00"),
        ("12am", "00:00"),
        ("12pm", "12:00"),
        ("12:30 am", "00:30"),
        ("11:59:59pm", "23:59:59"),
        ("9", "09:00"),
        ("17", "17:00"),
        ("noon", "12:00"),
        ("Midnight", "00:00"),
        ("Monday noon", "Monday 12:00"),
        ("fri 5pm", "Friday 17:00"),
        ("fri 5 pm", "Friday 17:00"),
        (time(3, 30), "03:30"),
        (time(0), "00:00"),
        (time(23, 59, 59), "23:59:59"),
    ],
)
def test_a_time_as_people_write_it_is_the_one_of_24_hours(written: Written, means: str) -> None:
    assert parse_at(written) == parse_at(means)
    assert parse_at(written).text == means


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12:75", "at='12:75': a minute is from 00 to 59, not '75'"),
        ("24:00", "at='24:00': an hour is from 00 to 23, not '24'"),
        ("25:**", "at='25:**': an hour is from 00 to 23, not '25'"),
        ("3*:00", "at='3*:00': an hour is from 00 to 23, not '3*'"),
        ("12:00:60", "at='12:00:60': a second is from 00 to 59, not '60'"),
        (
            "12:5",
            "at='12:5': '5' is not a minute; write two digits, '**', or a digit and '*'",
        ),
        (
            "*2:00",
            "at='*2:00': '*2' is not an hour; write two digits, '**', or a digit and '*'",
        ),
        ("nonn", "at='nonn' is not a time; did you mean 'noon'?"),
        ("dawn", "at='dawn' is not a time; write hours and minutes, as in '09:30'"),
        ("13pm", "at='13pm': with pm, an hour is from 1 to 12, not '13'"),
        ("0 am", "at='0 am': with am, an hour is from 1 to 12, not '0'"),
        ("9:75am", "at='9:75am': a minute is from 00 to 59, not '75'"),
        ("24", "at='24': an hour is from 00 to 23, not '24'"),
        (
            "09:00, 18:00",
            "at='09:00, 18:00' is several times; write a list, at=['09:00', '18:00']",
        ),
        (3, "at=3 is not a time; write a string like '03:00'"),
        (True, "at=True is not a time; write a string like '09:30'"),
        (
            datetime(2026, 1, 1, 3, 30, tzinfo=UTC),
            "at=datetime.datetime(2026, 1, 1, 3, 30, tzinfo=datetime.timezone.utc) is not a time; "
            "write its time of day, as '03:30', or times(...) for one instant",
        ),
        (
            time(3, 30, tzinfo=UTC),
            "at=datetime.time(3, 30, tzinfo=datetime.timezone.utc) has a zone; "
            "write it without one, and tz= beside it",
        ),
        (
            time(3, 30, 0, 5),
            "at=datetime.time(3, 30, 0, 5) has a fraction of a second; write whole seconds",
        ),
        ("Monday", "at='Monday' names no time; write one behind it, as in 'Monday 12:00'"),
        ("Mondy 12:00", "at='Mondy 12:00': 'Mondy' is not a weekday; did you mean 'Monday'?"),
        ("x 12:00", "at='x 12:00': 'x' is not a weekday; write one like 'Monday 12:00'"),
        ("", "at='' is not a time; write it like '09:30' or 'Monday 12:00'"),
        ("a b c", "at='a b c' is not a time; write it like '09:30' or 'Monday 12:00'"),
        (930, "at=930 is not a time; write a string like '09:30'"),
    ],
)
def test_an_invalid_time_is_refused(text: Any, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_at(text)
    assert str(caught.value) == message


def test_other_digits_than_ascii_are_refused() -> None:
    with pytest.raises(RecurrenceError):
        parse_at("\u0660\u0669:\u0663\u0660")
