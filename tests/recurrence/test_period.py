from __future__ import annotations

from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.period import Calendar, Span, parse_period


@pytest.mark.parametrize(
    ("period", "seconds"),
    [
        ("90s", 90),
        ("10 minutes", 600),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("24 hours", 86_400),
        ("60 Minutes", 3600),
        ("1 second", 1),
        (timedelta(minutes=1), 60),
        (timedelta(days=2), 172_800),
        (60, 60),
        (86_400, 86_400),
        (90.0, 90),
    ],
)
def test_an_elapsed_period_is_so_many_seconds(period: Any, seconds: int) -> None:
    assert parse_period(period) == Span(seconds)


@pytest.mark.parametrize(
    ("period", "calendar"),
    [
        ("minute", Calendar("minute")),
        ("1 minute", Calendar("minute")),
        ("hour", Calendar("hour")),
        ("1 hour", Calendar("hour")),
        ("1h", Calendar("hour")),
        ("1 min", Calendar("minute")),
        ("day", Calendar("day")),
        ("1 day", Calendar("day")),
        ("3 days", Calendar("day", 3)),
        ("week", Calendar("week")),
        ("2 weeks", Calendar("week", 2)),
        ("month", Calendar("month")),
        ("3 months", Calendar("month", 3)),
        ("year", Calendar("year")),
        ("Quarter", Calendar("quarter")),
        ("2 years", Calendar("year", 2)),
        ("weekday", Calendar("week", weekdays=(0, 1, 2, 3, 4))),
        ("weekend", Calendar("week", weekdays=(5, 6))),
        ("Monday", Calendar("week", weekdays=(0,))),
        ("sunday", Calendar("week", weekdays=(6,))),
        ("mon", Calendar("week", weekdays=(0,))),
        ("tuesday-friday", Calendar("week", weekdays=(1, 2, 3, 4))),
        ("Fri - Mon", Calendar("week", weekdays=(0, 4, 5, 6))),
        ("monday, thursday", Calendar("week", weekdays=(0, 3))),
        ("weekend,wed", Calendar("week", weekdays=(2, 5, 6))),
        ("monday-sunday", Calendar("week", weekdays=(0, 1, 2, 3, 4, 5, 6))),
        (["thursday", "monday"], Calendar("week", weekdays=(0, 3))),
        (("mon-wed", "weekend"), Calendar("week", weekdays=(0, 1, 2, 5, 6))),
    ],
)
def test_a_calendar_period_is_a_unit_and_a_count(period: Any, calendar: Calendar) -> None:
    assert parse_period(period) == calendar


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ("0s", "'0s' must be a whole number of seconds, from 1 to a hundred years"),
        (
            timedelta(0),
            "datetime.timedelta(0) must be a whole number of seconds, from 1 to a hundred years",
        ),
        (
            timedelta(seconds=0.5),
            "datetime.timedelta(microseconds=500000) must be a whole number of seconds, "
            "from 1 to a hundred years",
        ),
        ("0 days", "'0 days' must have a count from 1 to 10000"),
        ("10 minuts", "'10 minuts' is not a period; did you mean 'minutes'?"),
        ("mondy", "'mondy' is not a period; did you mean 'monday'?"),
        (
            "2 days 3 hours",
            "'2 days 3 hours' is not a period; weeks, months and weekdays are not mixed "
            "with other units, and days are counted alone, as in '3 days'",
        ),
        (
            "",
            "'' is not a period; "
            "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'",
        ),
        (
            "10",
            "'10' is not a period; "
            "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'",
        ),
        (None, "None is not a period; write a string like '10 minutes' or 'day'"),
        (True, "True is not a period; write a string like '10 minutes' or 'day'"),
        (0, "0 must be a whole number of seconds, from 1 to a hundred years"),
        (0.5, "0.5 must be a whole number of seconds, from 1 to a hundred years"),
        (1.5, "1.5 must be a whole number of seconds, from 1 to a hundred years"),
        (nan, "nan must be a whole number of seconds, from 1 to a hundred years"),
        (inf, "inf must be a whole number of seconds, from 1 to a hundred years"),
        ("second", "'second' is not a period; write '1 second'"),
        ("dya", "'dya' is not a period; did you mean 'day'?"),
        ("2 quarters", "'2 quarters' is not a period; write '6 months'"),
        ("daily", "'daily' is not a period; write 'day'"),
        ("minutes", "'minutes' is not a period; write 'minute' or a count of them"),
        (
            "a day",
            "'a day' is not a period; "
            "write one like '10 minutes', '1h30m', 'day', '2 weeks' or 'monday'",
        ),
        ("monday, tusday", "'monday, tusday': 'tusday' is not a weekday; did you mean 'tuesday'?"),
        ("mon-fry", "'mon-fry': 'fry' is not a weekday; did you mean 'friday'?"),
        (
            ["monday", "tusday"],
            "['monday', 'tusday']: 'tusday' is not a weekday; did you mean 'tuesday'?",
        ),
        (["monday", 3], "['monday', 3]: 3 is not a weekday; write one like 'monday'"),
        ([], "[] holds no weekday; write at least one, as in ['monday']"),
    ],
)
def test_an_invalid_period_is_refused(period: Any, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_period(period)
    assert str(caught.value) == message
