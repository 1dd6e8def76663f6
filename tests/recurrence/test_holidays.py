from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.cron_rule import cron
from clock.recurrence.holidays import holidays
from tests.recurrence.reading import fires, rule

pytest.importorskip("icalendar")

FILE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//rq-clock//tests//EN
{}END:VCALENDAR
"""
NEW_YEAR = "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260101\nEND:VEVENT\n"
THREE_DAYS = (
    "BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260108\nEND:VEVENT\n"
)
TWO_DAYS = "BEGIN:VEVENT\nUID:3\nDTSTART;VALUE=DATE:20260110\nDURATION:P2D\nEND:VEVENT\n"
PARTY = "BEGIN:VEVENT\nUID:4\nDTSTART:20260109T190000Z\nDTEND:20260109T210000Z\nEND:VEVENT\n"
YEARLY = (
    "BEGIN:VEVENT\nUID:5\nSUMMARY:Christmas\nDTSTART;VALUE=DATE:20261225\n"
    "RRULE:FREQ=YEARLY\nEND:VEVENT\n"
)


def write(folder: Path, *events: str) -> Path:
    path = folder / "days.ics"
    path.write_text(FILE.format("".join(events)).replace("\n", "\r\n"))
    return path


def test_all_day_events_are_left_out_from_their_first_to_their_last_day(tmp_path: Path) -> None:
    path = write(tmp_path, NEW_YEAR, THREE_DAYS, TWO_DAYS, PARTY)
    when = rule(cron("0 9 1-12 1 *") - holidays(path))
    times_ = fires(when, "UTC", "2026-01-01", "2026-02-01")
    assert [time[8:10] for time in times_] == ["02", "03", "04", "08", "09", "12"]


def test_holidays_may_stand_behind_a_word(tmp_path: Path) -> None:
    when = rule("weekday" - holidays(write(tmp_path, NEW_YEAR)), at="09:00")
    assert str(when).startswith("weekday at 09:00 - {1 date of days.ics ")
    assert fires(when, "UTC", "2026-01-01", "2026-01-03") == ["2026-01-02T09:00:00+00:00"]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ((), " has no all-day event"),
        ((PARTY,), " has no all-day event"),
        (
            (YEARLY,),
            ": 'Christmas' repeats by a rule; write its dates out, one event for each",
        ),
    ],
)
def test_a_file_that_is_of_no_use_is_refused(
    tmp_path: Path, events: tuple[str, ...], message: str
) -> None:
    path = write(tmp_path, *events)
    with pytest.raises(RecurrenceError) as caught:
        holidays(path)
    assert str(caught.value) == f"holidays({str(path)!r}){message}"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "none.ics")
    with pytest.raises(RecurrenceError) as caught:
        holidays(path)
    assert str(caught.value) == f"holidays({path!r}) cannot be read: No such file or directory"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "days.ics"
    path.write_text("{}")
    with pytest.raises(RecurrenceError) as caught:
        holidays(path)
    assert str(caught.value).startswith(f"holidays({str(path)!r}) is not an iCalendar file: ")


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(RecurrenceError) as caught:
        holidays("days.ics")
    assert str(caught.value) == (
        "holidays('days.ics') needs the library icalendar; install it with 'rq-clock[ical]'"
    )
