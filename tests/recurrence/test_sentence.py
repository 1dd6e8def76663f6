from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from clock.recurrence.bounds import BoundedRule
from clock.recurrence.cron_rule import cron
from clock.recurrence.sentence import sentence
from clock.recurrence.spread import SpreadRule
from clock.recurrence.stream import times
from clock.recurrence.zone import zone
from tests.recurrence.reading import rule


def moons() -> Iterator[datetime]:
    yield datetime(2026, 1, 3, tzinfo=UTC)


def words(when: Any, **options: Any) -> str:
    return sentence(rule(when, **options).recurrence(zone("UTC"), "after", "first"))


QUARTER = "on the last weekday in March, June, September and December at 09:00"
MON_THU_SAT = "on Monday, Thursday, Friday and Saturday at 09:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words("10 seconds"), "every 10 seconds of real time"),
        (words("24 hours"), "every 24 hours of real time"),
        (words("1 second"), "every second of real time"),
        (words("minute"), "every minute"),
        (words("hour", at="**:15"), "every hour at 15 past"),
        (words("hour", at="**:15:30"), "every hour at 15:30 past"),
        (words("minute", at="**:**:05"), "every minute at second 5"),
        (words(cron("7-59/10 * * * *")), "every 10 minutes, first at 00:07"),
        (words(cron("*/15 * * * *")), "every 15 minutes"),
        (words("day", at=["9:30", "18:00"]), "every day at 09:30 and 18:00"),
        (words("day", at="12:00:30"), "every day at 12:00:30"),
        (words("3 days"), "every 3 days at 00:00"),
        (words("weekday", at="09:00"), "on Monday to Friday at 09:00"),
        (words("weekend"), "on Saturday and Sunday at 00:00"),
        (words("2 weeks", at="Monday 9:00"), "on Monday of every 2nd week at 09:00"),
        (words("month", on="last friday"), "on the last Friday of every month at 00:00"),
        (words("month", on=[1, "last"]), "on the 1st and the last day of every month at 00:00"),
        (words("12 months", on=22), "on the 22nd of every 12th month at 00:00"),
        (words("3 months", on=22), "on the 22nd of every 3rd month at 00:00"),
        (words("year", on="24 dec"), "on the 24th of December, every year, at 00:00"),
        (words("2 years"), "on the 1st of January, every 2nd year, at 00:00"),
        (
            words(cron("*/15 9-18 * * mon-fri")),
            "on Monday to Friday at 0, 15, 30 and 45 past 9 to 18 o'clock",
        ),
        (words(cron("0 0 1-15 jan,jun *")), "on days 1 to 15 in January and June at 00:00"),
        (words(cron("0 0 13 * fri")), "on the 13th or any Friday of every month at 00:00"),
        (words(cron("0 1 1-7 * sun")), "on days 1 to 7 or any Sunday of every month at 01:00"),
        (
            words("month", on=["last weekday", "15 nearest weekday", "1st weekday"]),
            "on the 1st and the last weekday and the weekday nearest to the 15th "
            "of every month at 00:00",
        ),
        (words("quarter", on="last weekday", at="9am"), QUARTER),
        (words("mon, thu-sat", at="9am"), MON_THU_SAT),
        (words("3 hours", at="**:20"), "every 3 hours, first at 00:20"),
        (words(cron("0 0 13,14-19 * */2")), None),
        (words(cron("0 0 L-3 * *")), "on day 3 before the last of every month at 00:00"),
        (words(cron("0 0 * * fri#2")), "on the 2nd Friday of every month at 00:00"),
        (
            words(cron("7-59/13 1,5 * * *")),
            "every day at 7, 20, 33, 46 and 59 past 1 and 5 o'clock",
        ),
        (words(cron("0-9 1 * * *")), "10 times a day from 01:00 to 01:09"),
        (words(times(moons)), "at the instants of times tests.recurrence.test_sentence.moons()"),
        (
            words(cron("0 9 * * *") | cron("0 12 * * 6")),
            "every day at 09:00, and on Saturday at 12:00",
        ),
        (
            words(cron("0 9 * * *") - cron("0 9 1 * *")),
            "every day at 09:00, but not on the 1st of every month at 09:00",
        ),
        (
            words(cron("0 9 * * *") - {date(2026, 12, 25)}),
            "every day at 09:00, but not on the days of {2026-12-25}",
        ),
    ],
)
def test_a_recurrence_as_a_sentence(text: str, expected: str | None) -> None:
    assert text == expected if expected is not None else " if it is " in text


def test_bounds_and_spread_come_last_in_the_sentence() -> None:
    spread = SpreadRule(inner=rule("day"), over=600, by=75)
    bounded = BoundedRule(inner=spread, start=date(2026, 1, 1), until=date(2026, 1, 31))
    assert sentence(bounded.recurrence(zone("UTC"), "after", "first")) == (
        "every day at 00:00, each time 75 seconds later, "
        "from 2026-01-01 00:00:00Z, until 2026-01-31 23:59:59Z"
    )
