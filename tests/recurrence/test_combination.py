from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.combination import period
from clock.recurrence.cron_rule import cron
from clock.recurrence.difference import DAYS_SEARCHED, INSTANTS_SEARCHED
from clock.recurrence.stream import times
from clock.recurrence.zone import zone
from tests.recurrence.reading import fires, rule, seconds

JANUARY = ("2025-12-31T23:59:59", "2026-01-31T23:59:59")


def january(when: Any, **options: Any) -> list[str]:
    return [time[5:16] for time in fires(rule(when, **options), "UTC", *JANUARY)]


def test_either_fires_when_one_side_does_and_once_when_both_do() -> None:
    assert january(cron("0 9 1,2 * *") | cron("0 9 2,3 * *")) == [
        "01-01T09:00", "01-02T09:00", "01-03T09:00",
    ]  # fmt: skip


def test_a_string_may_be_either_operand() -> None:
    assert january(cron("0 9 1 * *") | "month on 2") == january("month on 2" | cron("0 9 1 * *"))
    assert january("month on 2 at 08:00" | cron("0 9 1 * *")) == ["01-01T09:00", "01-02T08:00"]


def test_at_applies_to_the_only_string_of_a_combination() -> None:
    assert january("month" | cron("0 9 2 * *"), at="08:00") == ["01-01T08:00", "01-02T09:00"]
    assert january("month" - cron("0 0 * * *"), on=5, at="08:00") == ["01-05T08:00"]


def test_except_leaves_out_the_instants_of_the_other() -> None:
    assert january(cron("0 9 1-4 * *") - cron("0 9 */2 * *")) == ["01-02T09:00", "01-04T09:00"]
    assert january(cron("0 9 1-2 * *") - cron("30 9 * * *")) == ["01-01T09:00", "01-02T09:00"]


@pytest.mark.parametrize("kind", [set, frozenset, list, tuple])
def test_except_leaves_out_a_set_of_dates(kind: Callable[[Any], Any]) -> None:
    dates = kind([date(2026, 1, 1), date(2026, 1, 3)])
    assert january(cron("0 9,18 1-3 * *") - dates) == ["01-02T09:00", "01-02T18:00"]


def test_except_leaves_out_the_days_a_function_names() -> None:
    assert january("day" - (cron("0 0 * * *") - (lambda day: day.day < 30)), at="09:00")[-1] == (
        "01-31T09:00"
    )
    assert january(cron("0 9 * * *") - (lambda day: day.day > 2)) == ["01-01T09:00", "01-02T09:00"]


def test_a_day_off_is_a_local_day() -> None:
    first = cron("0 8 1,2 * *") - {date(2026, 1, 1)}
    assert fires(rule(first), "Asia/Tokyo", "2025-12-31", "2026-01-31") == [
        "2026-01-02T08:00:00+09:00"
    ]


def test_a_day_off_that_the_clocks_return_to_stays_off() -> None:
    # Newfoundland went back from 00:01 to 23:01 of the day before.
    quarters = cron("*/15 * * * *") - {date(2009, 10, 31)}
    assert fires(rule(quarters), "America/St_Johns", "2009-11-01T02:00", "2009-11-01T03:45") == [
        "2009-11-01T00:00:00-02:30", "2009-11-01T00:00:00-03:30", "2009-11-01T00:15:00-03:30",
    ]  # fmt: skip


def test_streams_combine_with_the_rest() -> None:
    instants = [datetime.fromisoformat(f"2026-01-0{day}T09:00+00:00") for day in (1, 2, 3)]
    assert january(times(instants) - cron("0 9 2 * *")) == ["01-01T09:00", "01-03T09:00"]
    assert january(times(instants) - {date(2026, 1, 1)}) == ["01-02T09:00", "01-03T09:00"]


def test_a_period_in_words_combines_with_dates() -> None:
    when = period("month on 1, 2") - {date(2026, 1, 1)}
    assert january(when, at="08:00") == ["01-02T08:00"]
    assert january(period("month on 2")) == ["01-02T00:00"]


def test_a_timedelta_combines_too() -> None:
    assert len(january(timedelta(hours=1) - cron("0 9 * * *"))) == 31 * 23


def test_combinations_nest() -> None:
    both = (cron("0 9 1-5 * *") - {date(2026, 1, 2)}) | (cron("0 9 2-9 * *") - cron("0 9 4-9 * *"))
    assert [time[:5] for time in january(both)] == ["01-01", "01-02", "01-03", "01-04", "01-05"]


def test_a_combination_has_a_spelling() -> None:
    either = cron("0 9 1 * *") | "day" | timedelta(hours=2)
    assert str(rule(either - {date(2026, 12, 25)})) == (
        "(cron 0 9 1 * * | day | 2 hours) - {2026-12-25}"
    )
    assert str(rule(cron("0 9 * * *") - holiday)) == (
        "cron 0 9 * * * - tests.recurrence.test_combination.holiday()"
    )
    many = {date(2026, 1, day) for day in range(1, 10)}
    assert re.fullmatch(
        r"cron 0 9 \* \* \* - \{9 dates [0-9a-f]{8}\}", str(rule(cron("0 9 * * *") - many))
    )


def holiday(day: date) -> bool:
    return day.month == 12


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (
            cron("0 9 * * *") - cron("0 * * * *"),
            "'cron 0 9 * * * - cron 0 * * * *' never fires: nothing is left: "
            f"{INSTANTS_SEARCHED} occurrences in a row are excluded by '-'",
        ),
        (
            cron("0 9 * * *") - bool,
            "'cron 0 9 * * * - bool()' never fires: nothing is left: "
            f"{DAYS_SEARCHED} days in a row are excluded by '-'",
        ),
        (
            cron("0 9 * * *") | {date(2026, 1, 1)},
            "dates have no time of day; they stand after '-', not beside '|'",
        ),
        (
            cron("0 9 * * *") - [datetime(2026, 1, 1)],  # noqa: DTZ001
            "datetime.datetime(2026, 1, 1, 0, 0) is not a date to leave out; "
            "write date(2026, 12, 25), "
            "and combine with times(...) to leave out single instants",
        ),
        (
            cron("0 9 * * *") | None,
            "None is not a period; write a string like '10 minutes' or 'day'",
        ),
        (cron("0 9 * * *") | "mondy", "'mondy' is not a period; did you mean 'monday'?"),
    ],
)
def test_what_does_not_combine_is_refused(refused: Any, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        rule(refused).recurrence(zone("UTC"), "after", "first")
    assert str(caught.value) == message


@pytest.mark.parametrize("words", [("day", "hour"), ()])
def test_at_needs_exactly_one_string_to_apply_to(words: tuple[str, ...]) -> None:
    joined: Any = cron("0 9 * * *") | cron("0 10 * * *")
    for word in words:
        joined = joined | word
    with pytest.raises(RecurrenceError) as caught:
        rule(joined, at="09:00")
    assert str(caught.value) == (
        f"at= belongs to one period in words, not to {len(words)}; "
        "write it into the words, as in 'day at 09:30'"
    )


def test_a_function_that_fails_is_an_error_of_that_question_alone() -> None:
    def known(day: date) -> bool:
        return {2026: False}[day.year]

    recurrence = rule(cron("0 9 * * *") - known).recurrence(zone("UTC"), "after", "first")
    assert recurrence.next(seconds("2026-01-01T00:00")) == seconds("2026-01-01T09:00")
    with pytest.raises(RecurrenceError) as caught:
        recurrence.next(seconds("2026-12-31T09:00"))
    assert str(caught.value).endswith("known() failed for 2027-01-01: KeyError: 2027")


def test_combinations_without_end_are_refused() -> None:
    nested: Any = cron("0 9 * * *")
    for _ in range(100):
        nested = nested - {date(2026, 1, 1)}
    with pytest.raises(RecurrenceError) as caught:
        rule(nested)
    assert str(caught.value) == ("combinations can be nested at most 50 deep")
