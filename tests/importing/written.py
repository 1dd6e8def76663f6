"""The times of what an import wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from clock import Event, load
from clock.importing.imported import Imported
from clock.importing.schedule_text import schedule_text

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def events_of(imported: Imported, folder: Path) -> dict[str, Event]:
    """The events of the written file, which the clock reads again, by their names."""
    file = folder / "written.py"
    file.write_text(schedule_text(imported)[0])
    return dict(load(file).events)


def a_year_of(event: Event) -> list[datetime]:
    """Its occurrences of 2026 in UTC, the first and the last day left out.

    They are left out so that a comparison does not depend on how a year begins in another zone.
    """
    first, last = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    return [instant for instant in event.occurrences(*YEAR) if first <= instant < last]
