from __future__ import annotations

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.business import BusinessDays
from clock.recurrence.days import DayRule
from clock.recurrence.on import merge_rules, parse_on


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (15, DayRule(days=frozenset({15}))),
        ("15", DayRule(days=frozenset({15}))),
        ("15th", DayRule(days=frozenset({15}))),
        ("last", DayRule(before_end=frozenset({0}))),
        ("last day", DayRule(before_end=frozenset({0}))),
        ("last friday", DayRule(nth=frozenset({(4, -1)}))),
        ("Last  Friday", DayRule(nth=frozenset({(4, -1)}))),
        ("2nd tuesday", DayRule(nth=frozenset({(1, 2)}))),
        ("second tuesday", DayRule(nth=frozenset({(1, 2)}))),
    ],
)
def test_a_day_of_any_month(value: int | str, rule: DayRule) -> None:
    assert parse_on(value).rule == rule
    assert parse_on(value).month is None


@pytest.mark.parametrize(
    ("value", "rule", "month"),
    [
        ("29 february", DayRule(days=frozenset({29})), 2),
        ("24 dec", DayRule(days=frozenset({24})), 12),
        ("last friday of march", DayRule(nth=frozenset({(4, -1)})), 3),
        ("last february", DayRule(before_end=frozenset({0})), 2),
    ],
)
def test_a_day_of_one_month(value: str, rule: DayRule, month: int) -> None:
    assert (parse_on(value).rule, parse_on(value).month) == (rule, month)


def test_several_days_are_joined() -> None:
    rules = [parse_on(day).rule for day in (1, "last", "2nd tuesday")]
    joined = merge_rules(rule for rule in rules if isinstance(rule, DayRule))
    assert joined == DayRule(
        days=frozenset({1}), before_end=frozenset({0}), nth=frozenset({(1, 2)})
    )


@pytest.mark.parametrize(
    ("value", "text", "rule"),
    [
        ("last weekday", "last weekday", BusinessDays(nth=frozenset({-1}))),
        ("First Weekday", "1st weekday", BusinessDays(nth=frozenset({1}))),
        ("3rd weekday", "3rd weekday", BusinessDays(nth=frozenset({3}))),
        ("22nd weekday", "22nd weekday", BusinessDays(nth=frozenset({22}))),
        ("11th weekday", "11th weekday", BusinessDays(nth=frozenset({11}))),
        ("15 nearest weekday", "15 nearest weekday", BusinessDays(nearest=frozenset({15}))),
        ("15th nearest weekday", "15 nearest weekday", BusinessDays(nearest=frozenset({15}))),
    ],
)
def test_a_business_day(value: str, text: str, rule: BusinessDays) -> None:
    assert (parse_on(value).text, parse_on(value).rule) == (text, rule)
    assert parse_on(text) == parse_on(value)
    assert parse_on(f"{value} of march").month == 3


NOT_A_WEEKDAY = (
    "is not a day; write '1st weekday' to '23rd weekday', 'last weekday' or '15 nearest weekday'"
)
NOT_A_DAY = "is not a day; write a number, 'last', 'last friday' or '2nd tuesday'"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "on=0: a day of the month is from 1 to 31, or 'last'"),
        (32, "on=32: a day of the month is from 1 to 31, or 'last'"),
        ("32", "on='32': a day of the month is from 1 to 31, or 'last'"),
        ("30 february", "on='30 february': February has 29 days at most"),
        ("31 april", "on='31 april': April has 30 days at most"),
        ("24th weekday", f"on='24th weekday' {NOT_A_WEEKDAY}"),
        ("some weekday", f"on='some weekday' {NOT_A_WEEKDAY}"),
        ("0th weekday", f"on='0th weekday' {NOT_A_WEEKDAY}"),
        ("3 weekday", f"on='3 weekday' {NOT_A_WEEKDAY}"),
        (
            "32 nearest weekday",
            "on='32 nearest weekday': a day of the month is from 1 to 31, or 'last'",
        ),
        (
            "31 nearest weekday of april",
            "on='31 nearest weekday of april': April has 30 days at most",
        ),
        ("6th tuesday", f"on='6th tuesday' {NOT_A_DAY}"),
        (
            "friday",
            "on='friday' is not a day of a month; write every('friday') for a weekday, "
            "or on='first friday' with 'month'",
        ),
        (True, f"on=True {NOT_A_DAY}"),
        (1.5, f"on=1.5 {NOT_A_DAY}"),
    ],
)
def test_an_invalid_day_is_refused(value: int | str, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        parse_on(value)
    assert str(caught.value) == message
