"""What is written of a recurrence is all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given

from clock.errors import RecurrenceError
from clock.recurrence import encoding
from clock.recurrence.cron_rule import cron
from clock.recurrence.encoding import CLASSES, decode, encode
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule
from clock.recurrence.stream import times
from clock.recurrence.zone import zone
from tests.recurrence.reading import narrow, rule
from tests.recurrence.test_properties import INSTANTS, quick, recurrences, some

BERLIN = zone("Europe/Berlin")


def of(period: Any, **options: Any) -> Recurrence:
    return rule(period, **options).recurrence(BERLIN, "after", "first")


@given(recurrences(), INSTANTS)
@quick
def test_what_is_read_back_is_equal_and_fires_alike(recurrence: Recurrence, after: int) -> None:
    text = encode(recurrence)
    assert text is not None
    encoding._cached.cache_clear()
    decoded = decode(text)
    assert decoded == recurrence
    assert hash(decoded) == hash(recurrence)
    assert some(decoded, after, 5) == some(recurrence, after, 5)


def narrowed(when: Rule, **options: Any) -> Recurrence:
    return narrow(when, **options).recurrence(BERLIN, "after", "first")


def test_every_gap_and_fold_rule_is_read_back() -> None:
    for gap in ("after", "shift", "skip"):
        for fold in ("first", "second", "both"):
            recurrence = rule("day", at="02:30").recurrence(BERLIN, gap, fold)
            assert decode(str(encode(recurrence))) == recurrence


def test_the_text_is_json_and_names_every_class_that_has_content() -> None:
    recurrences = [
        of("10 minutes"), of("day"), of("2 weeks", at="Monday 12:00"), of("month", on="last"),
        of(cron("0 9 * * *") - {date(2026, 12, 24)}), of(cron("0 9 * * *") - cron("0 9 1 * *")),
        of(cron("0 9 * * *") | cron("0 18 * * *")), of("month", on="last weekday"),
        narrowed(rule("hour"), between="09:00-17:00", days={date(2026, 12, 24)}),
    ]  # fmt: skip
    texts = "".join(str(encode(recurrence)) for recurrence in recurrences)
    for name in set(CLASSES) - {"Bounded", "Later"}:
        assert f'"is":"{name}"' in texts
    assert json.loads(str(encode(of("10 minutes"))))["period"] == 600


def endless() -> Iterator[datetime]:
    yield datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "period",
    [
        times(endless),
        times(endless) | cron("0 9 * * *"),
        cron("0 9 * * *") - (lambda day: day.day == 1),
    ],
)
def test_what_has_no_content_is_not_written(period: Any) -> None:
    assert encode(of(period)) is None


@pytest.mark.parametrize(
    "text",
    ["", "1", "[]", "{}", '{"is":"Tape"}', '{"is":"Elapsed"}', '{"is":"Elapsed","every":1}',
     '{"is":"DayRule"}', '{"zone":"Europe/Berlin"}', '{"is":["Elapsed"]}', '{"range":1}'],
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RecurrenceError, match="not the text of a recurrence"):
        decode(text)


WALL = '{"is":"Wall","days":%s,"seconds":%s,"zone":{"zone":"UTC"}}'
EVERY_DAY = '{"is":"EveryDays"}'
SECOND = '{"is":"Elapsed","period":1,"anchor":0}'


@pytest.mark.parametrize(
    "text",
    [
        SECOND.replace("1", "0"),
        SECOND.replace("1", "-7"),
        SECOND.replace("1", "1.5"),
        SECOND.replace("1", "true"),
        SECOND.replace("1", '"1"'),
        SECOND.replace(":0}", ":1e400}"),
        SECOND.replace(":0}", ":" + "9" * 50 + "}"),
        '{"is":"Union","parts":[]}',
        '{"is":"Union","parts":[1]}',
        '{"is":"Later","inner":{"zone":"UTC"},"by":1}',
        '{"is":"DaysOff","kept":' + SECOND + ',"dates":{"set":[1]},"zone":{"zone":"UTC"}}',
        '{"is":"DaysOff","kept":' + SECOND + ',"dates":{"is":"DateSet","days":{"set":["x"]}},'
        '"zone":{"zone":"UTC"}}',
        WALL % (EVERY_DAY, "[]"),
        WALL % (EVERY_DAY, "[5,5]"),
        WALL % (EVERY_DAY, "[86400]"),
        WALL % (EVERY_DAY, '{"range":[0,1000000000000,1]}'),
        WALL % (EVERY_DAY, '{"range":[0,10,0]}'),
        WALL % ('{"is":"EveryDays","count":0}', "[0]"),
        WALL % ('{"is":"WeekDays","weekdays":[]}', "[0]"),
        WALL % ('{"is":"WeekDays","weekdays":[7]}', "[0]"),
        WALL % ('{"is":"MonthDays","rule":{"is":"DayRule","nth":{"set":[1]}}}', "[0]"),
        WALL % (SECOND, "[0]"),
        WALL % ('{"is":"BusinessDays","nth":{"set":["x"]}}', "[0]"),
        WALL % ('{"is":"BusinessDays","count":0}', "[0]"),
        (WALL % (EVERY_DAY, "[0]")).replace('"days"', '"gap":"x","days"'),
        "[" * 100_000,
        '{"is":"Later","by":1,"inner":' * 5000 + SECOND + "}" * 5000,
    ],
    ids=map(str, range(27)),
)  # fmt: skip
def test_what_could_never_be_asked_for_a_time_is_refused(text: str) -> None:
    with pytest.raises(RecurrenceError, match="not the text of a recurrence"):
        decode(text)
