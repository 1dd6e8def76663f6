"""Which recurrences run their user's code."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from clock.recurrence.bounds import BoundedRule
from clock.recurrence.cron_rule import cron
from clock.recurrence.encoding import encode
from clock.recurrence.phrase import Details, read_rule
from clock.recurrence.rule import Rule
from clock.recurrence.spread import SpreadRule
from clock.recurrence.stream import times
from clock.recurrence.user_code import runs_user_code
from clock.recurrence.zone import zone

NOON = cron("0 12 * * *")
GIVEN = times([datetime(2026, 1, 1, tzinfo=UTC)])


def is_closed(day: date) -> bool:
    return day.day == 13


def _rule(period: object) -> Rule:
    return read_rule(period, Details())


@pytest.mark.parametrize(
    ("rule", "runs"),
    [
        (_rule("day"), False),
        (_rule("90 seconds"), False),
        (_rule(NOON | cron("0 6 * * *")), False),
        (_rule(NOON - {date(2026, 1, 1)}), False),
        (_rule(NOON - cron("0 12 1 * *")), False),
        (GIVEN, True),
        (_rule(NOON | GIVEN), True),
        (_rule(NOON - GIVEN), True),
        (_rule(NOON - is_closed), True),
        (SpreadRule(inner=_rule(NOON - is_closed), over=60, by=7), True),
        (BoundedRule(inner=_rule(GIVEN), until=date(2027, 1, 1)), True),
    ],
    ids=str,
)
def test_what_runs_users_code_is_what_cannot_be_written_down(rule: Rule, runs: bool) -> None:
    recurrence = rule.recurrence(zone("UTC"), "after", "first")
    assert runs_user_code(recurrence) is runs
    assert (encode(recurrence) is None) is runs
