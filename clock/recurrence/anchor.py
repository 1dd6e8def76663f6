"""An anchor: the date or instant from which counted periods are counted."""

from __future__ import annotations

from datetime import date, datetime

from clock.recurrence.days import ANCHOR, EPOCH
from clock.recurrence.wall import DAY
from clock.recurrence.zone import Zone

Anchor = date | datetime


def anchor_day(anchor: Anchor | None) -> int:
    """The day number of an anchor, 2001-01-01 where there is none."""
    return ANCHOR if anchor is None else anchor.toordinal() - EPOCH


def anchor_instant(anchor: Anchor | None, zone: Zone) -> int:
    """The instant of an anchor in UTC seconds; a date is its local midnight in ``zone``."""
    if isinstance(anchor, datetime):
        return int(anchor.timestamp())
    return zone.instant(anchor_day(anchor) * DAY)


def spell_anchor(anchor: Anchor | None) -> str:
    """The spelling of an anchor at the end of a rule."""
    return "" if anchor is None else f" counted from {anchor.isoformat()}"
