"""Debian's cron(8) and crontab(5), written anew: when a line runs in 2026.

It walks through the minutes of a year, as cron does. A line with ``*`` leading its minute or hour
follows the clock on the wall; another one runs right after a gap that skips it, and not again in a
repeated hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
NAMES = {
    **{name: number for number, name in enumerate(WEEKDAYS)},
    **{name: number for number, name in enumerate(MONTHS, start=1)},
}
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NICKNAMES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0"}


@cache
def _minutes(zone: str) -> list[tuple[datetime, datetime]]:
    """Each minute of the year in UTC, and what a clock on the wall shows."""
    begin, place = datetime(2026, 1, 2, tzinfo=UTC), ZoneInfo(zone)
    instants = (begin + MINUTE * number for number in range(363 * 24 * 60))
    return [(instant, instant.astimezone(place).replace(tzinfo=None)) for instant in instants]


def _values(field: str, low: int, high: int) -> set[int]:
    values = set[int]()
    for term in field.split(","):
        body, _, step = term.partition("/")
        first, _, last = body.partition("-")
        begin = low if body == "*" else int(NAMES.get(first.lower(), first))
        end = high if body == "*" else int(NAMES.get((last or first).lower(), last or first))
        values |= set(range(begin, end + 1, int(step or 1)))
    return values


def runs(when: str, zone: str) -> list[datetime]:
    """The instants in UTC at which cron starts the line."""
    fields = NICKNAMES.get(when, when).split()
    minutes, hours, dates, months, weekdays = (
        _values(field, *limits) for field, limits in zip(fields, RANGES, strict=True)
    )
    star = fields[2].startswith("*") or fields[4].startswith("*")
    weekdays = {weekday % 7 for weekday in weekdays}

    def matches(wall: datetime) -> bool:
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        on_date, on_weekday = wall.day in dates, wall.isoweekday() % 7 in weekdays
        return on_date and on_weekday if star else on_date or on_weekday

    wild = fields[0].startswith("*") or fields[1].startswith("*")
    started, latest = [], _minutes(zone)[0][1] - MINUTE
    for instant, wall in _minutes(zone):
        if wild:
            if matches(wall):
                started.append(instant)
            continue
        if wall <= latest:
            continue
        skipped = latest + MINUTE
        is_due = False
        while skipped <= wall:
            is_due = is_due or matches(skipped)
            skipped += MINUTE
        latest = wall
        if is_due:
            started.append(instant)
    return started
