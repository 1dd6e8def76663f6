from __future__ import annotations

from datetime import date

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.phrase import Details, parse_phrase, read_rule


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        ("Day", "day"),
        ("1 day at 9:30", "day at 09:30"),
        ("monday at 08:00", "monday at 08:00"),
        ("week at mon 9:00, Friday 17:00", "week at Monday 09:00, Friday 17:00"),
        ("hour at *:15", "hour at **:15"),
        ("month on Last  Friday at 23:30", "month on last friday at 23:30"),
        ("month on last, 15th, second tuesday", "month on 15, 2nd tuesday, last"),
        ("year on 24 dec, last fri of march", None),
        ("year on 24 dec, last friday of mar", "year on last friday of march, 24 december"),
        ("3 days at 12:00 counted from 2026-01-01", "3 days at 12:00 counted from 2026-01-01"),
        ("90 s", "90 seconds"),
        ("1h30m", "90 minutes"),
        ("24 hours", "24 hours"),
        ("3600s", "60 minutes"),
        ("60s", "60 seconds"),
        ("1h", "hour"),
        ("7200 s counted from 2026-01-01", "2 hours counted from 2026-01-01"),
        ("3 months", "3 months"),
        ("thu, mon at 9am", "monday, thursday at 09:00"),
        ("Mon-Fri", "weekday"),
        ("wed-sun", "wednesday-sunday"),
        ("sat-mon", "monday, saturday, sunday"),
        ("tue-thu, sat at noon", "tuesday-thursday, saturday at 12:00"),
        (
            "month on last weekday, 3rd weekday, 15th nearest weekday at 5pm",
            "month on 15 nearest weekday, 3rd weekday, last weekday at 17:00",
        ),
        ("quarter on Last at noon", "quarter on last at 12:00"),
        ("3 hours at *:20", "3 hours at **:20"),
        ("120 minutes at **:05, **:20", "2 hours at **:05, **:20"),
        ("weekend", "weekend"),
    ],
)
def test_a_phrase_has_one_tidy_spelling_that_reads_the_same(written: str, tidy: str | None) -> None:
    if tidy is None:
        with pytest.raises(RecurrenceError):
            parse_phrase(written)
        return
    rule = parse_phrase(written)
    assert str(rule) == tidy
    assert parse_phrase(tidy) == rule


def test_options_and_strings_mean_the_same() -> None:
    details = Details(at=["09:30"], on=["last"], anchor=date(2026, 1, 1))
    assert read_rule("2 months", details) == parse_phrase(
        "2 months on last at 09:30 counted from 2026-01-01"
    )


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_phrase("day at 09:30", Details(at="10:00"))
    assert str(caught.value) == "at= is given twice: here, and in 'day at 09:30'"


@pytest.mark.parametrize("text", ["", "at", " at 09:30", "day at", "day on", "x counted from y"])
def test_half_a_phrase_is_refused(text: str) -> None:
    with pytest.raises(RecurrenceError):
        parse_phrase(text)


def test_the_same_string_gives_the_same_rule() -> None:
    details = Details(at="09:30", on="last")
    assert read_rule("month", details) is read_rule("month", details)


def test_what_equals_a_day_is_still_no_day() -> None:
    assert str(read_rule("month", Details(on=1))) == "month on 1"
    with pytest.raises(RecurrenceError, match="on=True is not a day"):
        read_rule("month", Details(on=True))
