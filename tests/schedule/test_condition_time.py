"""What a condition is asked about: an aware datetime with its event and the occurrence before."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clock import Event
from clock.schedule.condition_time import ConditionTime
from tests.schedule.writing import event

BERLIN = "timezone('Europe/Berlin')\n"


def at(of: Event, *local: int) -> ConditionTime:
    """The occurrence at a local time of the winter in Berlin."""
    instant = datetime(*local, tzinfo=UTC) - timedelta(hours=1)  # type: ignore[misc, arg-type]
    return of.condition_time(int(instant.timestamp()))


def test_a_condition_is_asked_about_an_aware_datetime_in_the_zone_of_the_event(
    tmp_path: Path,
) -> None:
    asked = at(event(tmp_path, BERLIN + "every('day', 'tasks.a', at='09:30')"), 2026, 1, 16, 9, 30)
    assert isinstance(asked, datetime)
    assert (asked.day, asked.hour, asked.weekday()) == (16, 9, 4)
    assert asked.isoformat() == "2026-01-16T09:30:00+01:00"
    assert (asked.tzname(), str(asked.tzinfo)) == ("CET", "Europe/Berlin")
    assert asked == datetime(2026, 1, 16, 8, 30, tzinfo=UTC)
    assert (asked.event, asked.scheduled_at) == ("tasks.a", asked)
    assert type(asked.scheduled_at) is datetime


def test_the_previous_occurrence_is_the_one_of_the_recurrence(tmp_path: Path) -> None:
    weekly = event(tmp_path, BERLIN + "every('monday', 'tasks.a', at='09:30')")
    asked = at(weekly, 2026, 3, 23, 9, 30)
    assert str(asked.previous) == "2026-03-16 09:30:00+01:00"
    assert type(asked.previous) is datetime
    yearly = event(tmp_path, BERLIN + "every('2 years', 'tasks.a', anchor='2026-01-01')")
    assert str(at(yearly, 2028, 1, 1).previous) == "2026-01-01 00:00:00+01:00"


def test_the_first_occurrence_has_no_previous_one(tmp_path: Path) -> None:
    source = BERLIN + "every('day', 'tasks.a', start='2026-01-02')"
    assert at(event(tmp_path, source), 2026, 1, 2).previous is None
    assert str(at(event(tmp_path, source), 2026, 1, 3).previous) == "2026-01-02 00:00:00+01:00"


def test_the_second_pass_of_a_repeated_hour_is_told_from_the_first(tmp_path: Path) -> None:
    hourly = event(tmp_path, BERLIN + "every('hour', 'tasks.a')")
    second = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())
    assert hourly.condition_time(second).isoformat() == "2026-10-25T02:00:00+01:00"
    assert hourly.condition_time(second - 3600).isoformat() == "2026-10-25T02:00:00+02:00"


def test_what_is_computed_from_it_is_a_plain_datetime(tmp_path: Path) -> None:
    asked = at(event(tmp_path, BERLIN + "every('day', 'tasks.a')"), 2026, 1, 16)
    made = (
        asked + timedelta(days=1), asked.replace(day=1), asked.astimezone(UTC),
        copy.copy(asked), pickle.loads(pickle.dumps(asked)),  # noqa: S301
    )  # fmt: skip
    assert {type(value) for value in made} == {datetime}
    assert str(made[0]) == "2026-01-17 00:00:00+01:00"
    assert made[3] == made[4] == asked
    assert asked - made[1] == timedelta(days=15)
