from __future__ import annotations

from datetime import timedelta

import pytest

from clock.schedule.duration import parse_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (300, 300),
        ("300", 300),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("7 days", 604_800),
        ("2 weeks", 1_209_600),
        ("1 Hour", 3600),
        (timedelta(minutes=5), 300),
    ],
)
def test_a_length_of_time_is_whole_seconds(value: object, seconds: int) -> None:
    assert parse_duration(value) == seconds


LIKE = "write one like '90s', '5m', '1h30m' or '7 days'"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", f"'soon' is not a length of time; {LIKE}"),
        ("", f"'' is not a length of time; {LIKE}"),
        ("5m!", f"'5m!' is not a length of time; {LIKE}"),
        ("\u00b2", f"'\u00b2' is not a length of time; {LIKE}"),
        (
            "5 months",
            "'5 months' is not a length of time: the unit 'months' is unknown; use s, m, h, d or w",
        ),
        (-1, "-1 is not a whole number of seconds from 0 to a hundred years"),
        (
            "2000000 days",
            "'2000000 days' is not a whole number of seconds from 0 to a hundred years",
        ),
        (
            timedelta(milliseconds=1),
            "datetime.timedelta(microseconds=1000) is not a whole number of seconds "
            "from 0 to a hundred years",
        ),
        (1.5, "1.5 is not a length of time; write seconds, a text like '5m' or a timedelta"),
        (True, "True is not a length of time; write seconds, a text like '5m' or a timedelta"),
        (None, "None is not a length of time; write seconds, a text like '5m' or a timedelta"),
    ],
)
def test_what_is_no_length_of_time_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_duration(value)
    assert str(caught.value) == message
