from __future__ import annotations

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.cron import NICKNAMES, parse_cron
from clock.recurrence.cron_rule import CronRule
from clock.recurrence.days import DayRule
from tests.recurrence.reading import fires


def days(text: str, year: str = "2026", months: tuple[str, str] = ("01", "02")) -> list[str]:
    """The days, from the second of January, on which a midnight expression fires."""
    times = fires(
        CronRule(text), "UTC", f"{year}-{months[0]}-01T00:00:00", f"{year}-{months[1]}-01"
    )
    return [time[8:10] for time in times]


def test_plain_fields_are_read() -> None:
    fields = parse_cron("0,30 9-11 * jan-mar *")
    assert fields.minutes == (0, 30)
    assert fields.hours == (9, 10, 11)
    assert fields.months == {1, 2, 3}
    assert fields.every_day


def test_names_stand_alone_and_in_ranges_in_any_case() -> None:
    assert parse_cron("0 0 * JAN Mon-FRI").months == {1}
    assert parse_cron("0 0 * * Mon-FRI").days == DayRule(weekdays=frozenset(range(5)))


def test_a_star_in_a_list_is_all_of_it() -> None:
    assert parse_cron("*,2 1,* * * *").minutes == tuple(range(60))
    assert parse_cron("*,2 1,* * * *").hours == tuple(range(24))
    assert parse_cron("*/1,5 0-23,5 * * *").minutes == tuple(range(60))
    assert parse_cron("*/1,5 0-23,5 * * *").hours == tuple(range(24))


def test_a_range_of_weekdays_may_wrap() -> None:
    assert parse_cron("0 0 * * fri-mon").days.weekdays == {4, 5, 6, 0}
    assert parse_cron("0 0 * * sat-sun").days.weekdays == {5, 6}
    assert parse_cron("0 0 * * tue-sun").days.weekdays == {1, 2, 3, 4, 5, 6}
    assert parse_cron("0 0 * * mon-sun").days.weekdays == {0, 1, 2, 3, 4, 5, 6}


def test_a_range_of_hours_or_months_may_wrap() -> None:
    assert parse_cron("0 22-2 * * *").hours == (0, 1, 2, 22, 23)
    assert parse_cron("0 0 * nov-feb *").months == {11, 12, 1, 2}


def test_sunday_is_0_and_7() -> None:
    assert parse_cron("0 0 * * 0").days == parse_cron("0 0 * * 7").days
    assert parse_cron("0 0 * * 5-7").days.weekdays == {4, 5, 6}


def test_steps_count_from_the_first_value() -> None:
    assert parse_cron("*/20 3-20/5 * * *").minutes == (0, 20, 40)
    assert parse_cron("*/20 3-20/5 * * *").hours == (3, 8, 13, 18)


def test_either_day_field_is_enough() -> None:
    assert days("0 0 13 * fri") == ["02", "09", "13", "16", "23", "30"]


def test_both_day_fields_must_match_where_one_begins_with_a_star() -> None:
    assert days("0 0 */2 * fri") == ["09", "23"]
    assert days("0 0 13-19 * */2") == ["13", "15", "17", "18"]


def test_a_question_mark_is_a_star() -> None:
    assert parse_cron("0 0 13 * ?").days == parse_cron("0 0 13 * *").days
    assert parse_cron("0 0 ? * fri").days == parse_cron("0 0 * * fri").days


def test_l_is_the_last_day_of_the_month() -> None:
    assert days("0 0 L * *") == ["31"]
    assert days("0 0 L-3,1 * *", months=("02", "03")) == ["25", "01"]


def test_l_behind_a_weekday_is_its_last_in_the_month() -> None:
    assert days("0 0 * * friL") == ["30"]
    assert days("0 0 * * 5L") == ["30"]


def test_a_number_sign_picks_the_nth_weekday() -> None:
    assert days("0 0 * * fri#2") == ["09"]
    assert days("0 0 * * 1#1,3#3") == ["05", "21"]
    assert days("0 0 * * fri#5", months=("02", "03")) == []


def test_nicknames_stand_for_their_expression() -> None:
    for nickname, expression in NICKNAMES.items():
        assert parse_cron(nickname) == parse_cron(expression)
        assert parse_cron(nickname.upper()) == parse_cron(expression)


def test_seconds_stand_first_or_last() -> None:
    first = parse_cron("30 15 9 * * *", "first")
    last = parse_cron("15 9 * * * 30", "last")
    assert first == last
    assert (first.seconds, first.minutes, first.hours) == ((30,), (15,), (9,))


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("*/15 * * * *", True),
        ("*/15 2 * * *", True),
        ("30 */2 * * *", True),
        ("30 * * * *", True),
        ("0-59/15 2 * * *", False),
        ("30 2 * * *", False),
        ("30 0-23 * * *", False),
    ],
)
def test_a_star_leading_the_minute_or_hour_follows_real_time(text: str, follows: bool) -> None:
    assert parse_cron(text).follows_real_time is follows


def test_a_star_leading_the_seconds_alone_does_not_follow_real_time() -> None:
    assert not parse_cron("*/10 30 2 * * *", "first").follows_real_time


FIVE = "five fields are needed (minute, hour, day, month, weekday)"
NICE = ", ".join(NICKNAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60 * * * *", "'60' is out of range; a minute is from 0 to 59"),
        ("* 24 * * *", "'24' is out of range; an hour is from 0 to 23"),
        ("* * 0 * *", "'0' is out of range; a day of the month is from 1 to 31"),
        ("* * * 13 *", "'13' is out of range; a month is from 1 to 12"),
        ("* * * * 8", "'8' is out of range; a weekday is from 0 to 7"),
        ("* * * foo *", "'foo' is not a month; write a number, or a name like 'feb'"),
        ("* * * * mondey", "'mondey' is not a weekday; write a number or 'mon'"),
        ("* * * * friday", "'friday' is not a weekday; write a number or 'fri'"),
        ("* * * * xyz", "'xyz' is not a weekday; write a number, or a name like 'mon'"),
        (
            "* lw * * *",
            "'lw' is not an hour; write a number; "
            "'W' goes with one day of the month, as in '15W', or with the last, 'LW'",
        ),
        ("x * * * *", "'x' is not a minute; write a number"),
        ("5/15 * * * *", "a step goes with a star or a range; write '5-59/15' for '5/15'"),
        ("*/0 * * * *", "a step of 0 in '*/0' does not fit a minute"),
        ("*/61 * * * *", "a step of 61 in '*/61' does not fit a minute"),
        (
            "5-3 * * * *",
            "'5-3' wraps round to 59 of 60; write '3-5' if that is meant, or '*'",
        ),
        (
            "* * * * tue-mon",
            "'tue-mon' wraps round to 7 of 7; write 'mon-tue' if that is meant, or '*'",
        ),
        (
            "*-5 * * * *",
            "'*-5' is a range that begins with a star; write one or the other",
        ),
        (
            "1,,2 * * * *",
            "'' cannot be read as a minute; "
            "write numbers, '*', ranges, steps and lists, as in '*/15' or '9-17'",
        ),
        (
            "? * * * *",
            "'?' cannot be read as a minute; '?' stands alone, for a day of the month or a weekday",
        ),
        (
            "* * 1-15w * *",
            "'1-15w' cannot be read as a day of the month; "
            "'W' goes with one day of the month, as in '15W', or with the last, 'LW'",
        ),
        ("* * L-31 * *", "'L-31' is before the first of every month"),
        ("* * * * fri#6", "'fri#6': a month has five weeks at most; write '#1' to '#5'"),
        ("* * * * fri#0", "'fri#0': a month has five weeks at most; write '#1' to '#5'"),
        ("* * * *", f"{FIVE}, not 4"),
        ("", f"{FIVE}, not 0"),
        ("* * * * * * *", f"{FIVE}, not 7"),
        ("@reboot", f"the nicknames are {NICE}, without seconds="),
        ("@every 5m", f"{FIVE}, not 2"),
    ],
)
def test_an_invalid_expression_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_cron(text)
    assert str(caught.value) == f"cron({text!r}): {message}"


def test_six_fields_without_seconds_show_both_readings() -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_cron("0 30 9 * * 1")
    assert str(caught.value) == (
        "cron('0 30 9 * * 1') has six fields: write seconds='first' if '0' are the seconds, "
        "seconds='last' if '1' are"
    )


def test_five_fields_with_seconds_are_refused() -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_cron("30 9 * * 1", "first")
    assert str(caught.value) == ("cron('30 9 * * 1'): six fields are needed with seconds=, not 5")


def test_seconds_is_first_or_last_and_nothing_else() -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_cron("0 30 9 * * 1", "middle")  # type: ignore[arg-type]
    assert str(caught.value) == ("cron('0 30 9 * * 1'): seconds='middle' must be 'first' or 'last'")


def test_other_digits_than_ascii_are_refused() -> None:
    for text in ("\u0665 * * * *", "\u00b2 * * * *", "* * * * fri#\u0662"):
        with pytest.raises(RecurrenceError):
            parse_cron(text)
