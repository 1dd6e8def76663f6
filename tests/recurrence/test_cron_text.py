"""Cron notation as a period, without ``cron(...)``."""

from __future__ import annotations

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.combination import period
from clock.recurrence.cron_rule import cron
from clock.recurrence.phrase import Details, read_rule
from tests.recurrence.reading import rule


@pytest.mark.parametrize(
    "text",
    [
        "*/15 9-18 * * mon-fri", "0 9 * * *", " 0  9 * * MON ", "@hourly", "@Daily", "0 0 L * *",
        "0,30 1-5/2 * jan-mar ?",
    ],
)  # fmt: skip
def test_cron_text_is_the_rule_of_cron(text: str) -> None:
    assert rule(text) == cron(text)


def test_cron_text_may_stand_in_a_combination() -> None:
    assert rule(period("0 9 * * *") | "0 18 * * fri") == rule(
        cron("0 9 * * *") | cron("0 18 * * fri")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "CRON_TZ=Europe/Berlin 0 9 * * *",
            "cron('CRON_TZ=Europe/Berlin 0 9 * * *'): the zone is an option; "
            "write '0 9 * * *' and tz='Europe/Berlin'",
        ),
        (
            "TZ=UTC @daily",
            "cron('TZ=UTC @daily'): the zone is an option; write '@daily' and tz='UTC'",
        ),
        (
            "0 9 * * mon Asia/Tokyo",
            "cron('0 9 * * mon Asia/Tokyo'): the zone is an option; "
            "write '0 9 * * mon' and tz='Asia/Tokyo'",
        ),
        (
            "0 9 * *",
            "cron('0 9 * *'): five fields are needed (minute, hour, day, month, weekday), not 4",
        ),
        (
            "0 30 9 * * 1",
            "cron('0 30 9 * * 1') has six fields: write seconds='first' if '0' are the seconds, "
            "seconds='last' if '1' are",
        ),
        (
            "@reboot",
            "cron('@reboot'): the nicknames are @yearly, @annually, @monthly, @weekly, @daily, "
            "@midnight, @hourly, without seconds=",
        ),
    ],
)
def test_cron_text_that_is_wrong_is_refused_as_by_cron(text: str, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        rule(text)
    assert str(caught.value) == message


def test_cron_text_takes_no_times() -> None:
    with pytest.raises(RecurrenceError) as caught:
        read_rule("0 9 * * *", Details(at="09:00"))
    assert str(caught.value) == "at= does not go with cron(...), which has its own times"
