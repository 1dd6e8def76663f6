"""Asking a rule when it fires, in the words of a test: ISO texts in, local ISO texts out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytz

from clock.recurrence.difference import without_dates
from clock.recurrence.local_times import BetweenRule, OnDaysRule
from clock.recurrence.phrase import Details, Period, read_rule
from clock.recurrence.recurrence import between
from clock.recurrence.rule import Rule
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import zone
from clock.schedule import day_checks


def rule(
    period: Period,
    *,
    at: str | list[str] | None = None,
    on: int | str | list[int | str] | None = None,
    anchor: date | datetime | None = None,
) -> Rule:
    """The rule of a period word, as ``every`` makes it."""
    return read_rule(period, Details(at, on, anchor))


def narrow(when: Rule, *, between: Any = None, days: Any = None, except_: Any = None) -> Rule:
    """A rule with the options that narrow it, in the order of a schedule file."""
    if except_ is not None:
        when = without_dates(when, day_checks.days_off(except_))
    if days is not None:
        when = OnDaysRule(when, *day_checks.days(days))
    if between is not None:
        when = BetweenRule(when, *day_checks.between(between))
    return when


def seconds(text: str) -> int:
    """UTC seconds since 1970 of an ISO text; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def fires(
    when: Rule,
    zone_name: str,
    after: str,
    until: str,
    gap: Gap = "after",
    fold: Fold = "first",
) -> list[str]:
    """The occurrences in ``(after, until]`` as local times with their offset, in order."""
    recurrence = when.recurrence(zone(zone_name), gap, fold)
    local = pytz.timezone(zone_name)
    return [
        datetime.fromtimestamp(instant, local).isoformat(timespec="seconds")
        for instant in between(recurrence, seconds(after), seconds(until))
    ]
