from __future__ import annotations

from datetime import timedelta

import pytest

from clock.recurrence.duration import parse_duration, parse_timeout


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
def test_a_duration_is_whole_seconds(value: object, seconds: int) -> None:
    assert parse_duration(value) == seconds


LIKE = "write one like '90s', '5m', '1h30m' or '7 days'"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", f"'soon' is not a duration; {LIKE}"),
        ("", f"'' is not a duration; {LIKE}"),
        ("5m!", f"'5m!' is not a duration; {LIKE}"),
        ("\u00b2", f"'\u00b2' is not a duration; {LIKE}"),
        (
            "5 months",
            "'5 months' is not a duration: the unit 'months' is unknown; use s, m, h, d or w",
        ),
        (-1, "-1 must not be negative"),
        ("2000000 days", "'2000000 days' must be at most a hundred years"),
        (
            timedelta(milliseconds=1),
            "datetime.timedelta(microseconds=1000) must be a whole number of seconds",
        ),
        (1.5, "1.5 is not a duration; write seconds, a string like '5m' or a timedelta"),
        (True, "True is not a duration; write seconds, a string like '5m' or a timedelta"),
        (None, "None is not a duration; write seconds, a string like '5m' or a timedelta"),
    ],
)
def test_an_invalid_duration_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_duration(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0.5, 0.5), ("0.5", 0.5), (2, 2.0), ("1m30s", 90.0), (timedelta(milliseconds=1), 0.001)],
)
def test_a_timeout_may_have_a_fraction_of_a_second(value: object, seconds: float) -> None:
    assert parse_timeout(value) == seconds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", f"'soon' is not a duration; {LIKE}"),
        (-0.5, "-0.5 must not be negative"),
        (float("nan"), "nan must be at most a hundred years"),
        (True, "True is not a duration; write seconds, a string like '5m' or a timedelta"),
    ],
)
def test_an_invalid_timeout_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_timeout(value)
    assert str(caught.value) == message
