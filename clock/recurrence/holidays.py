"""Holidays: the dates of an iCalendar file (RFC 5545), to be left out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from clock.errors import RecurrenceError
from clock.recurrence.dates import DateSet, date_set


def holidays(path: str | os.PathLike[str]) -> DateSet:
    """The days that the all-day events of an iCalendar file cover, the first to the last of each.

    A relative path is one from the folder of the file that calls this, else from the current
    folder. The file is read once, here; events with a time of day are not holidays and are skipped.
    Needs the extra ``ical`` (the library icalendar). Raises RecurrenceError for a file that cannot
    be read, that has no all-day event, or one that repeats by a rule: write its dates out.
    """
    shown = os.fspath(path)
    beside = Path(sys._getframe(1).f_code.co_filename).parent / path
    file = beside if beside.exists() else Path(path)
    try:
        import icalendar
    except ImportError:
        raise RecurrenceError(
            f"holidays({shown!r}) needs the library icalendar; install it with 'rq-clock[ical]'"
        ) from None
    try:
        calendar = icalendar.Calendar.from_ical(file.read_bytes())
        events = calendar.walk("VEVENT")
    except OSError as error:
        raise RecurrenceError(f"holidays({shown!r}) cannot be read: {error.strerror}") from None
    except (ValueError, LookupError) as error:
        raise RecurrenceError(f"holidays({shown!r}) is not an iCalendar file: {error}") from None
    days = [day for event in events for day in _days(event, shown)]
    if not days:
        raise RecurrenceError(f"holidays({shown!r}) has no all-day event")
    return date_set(days, Path(path).name)


def _days(event: object, path: str) -> Iterator[date]:
    """The days of one event; RFC 5545 section 3.6.1: DTEND is the day after, without it one day."""
    get = event.get  # type: ignore[attr-defined]  # icalendar's components are dicts of a kind
    begin = getattr(get("DTSTART"), "dt", None)
    if not isinstance(begin, date) or isinstance(begin, datetime):
        return
    if get("RRULE") is not None:
        raise RecurrenceError(
            f"holidays({path!r}): {str(get('SUMMARY', 'an event'))!r} repeats by a rule; "
            "write its dates out, one event for each"
        )
    end = getattr(get("DTEND"), "dt", None)
    length = getattr(get("DURATION"), "dt", timedelta(days=1))
    days = (end - begin).days if isinstance(end, date) else length.days
    for number in range(max(days, 1)):
        yield begin + timedelta(days=number)
