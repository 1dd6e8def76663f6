"""Many events: as a schedule file, or made of the real classes where a file would take too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from clock.schedule.event import Event
from clock.schedule.load import load

RECURRENCES = 300
"""Different recurrences in a crowd of which few are due at once."""


def write_crowd(file: Path, count: int, period: str = "minute") -> Path:
    """A schedule file of ``count`` events that fall on the same instants, each its own job."""
    file.write_text(
        "from clock import every\n\n"
        f"for number in range({count}):\n"
        f'    every("{period}", "math.floor", name=f"event {{number}}", args=[number])\n'
    )
    return file


def write_mixture(file: Path, count: int) -> Path:
    """A schedule file of ``count`` events with ``RECURRENCES`` recurrences, none due soon."""
    file.write_text(
        "from clock import every\n\n"
        f"for number in range({count}):\n"
        f"    hour, minute = divmod(number % {RECURRENCES}, 60)\n"
        '    every("day", "tasks.reports.daily", at=f"{hour:02}:{minute:02}", tz="Europe/Berlin",\n'
        '          name=f"report {number}", args=[number], kwargs={"customer": f"c{number}"})\n'
    )
    return file


def crowd(count: int) -> list[Event]:
    """``count`` events that are due every minute, through the schedule file."""
    with TemporaryDirectory(prefix="bench-") as folder:
        return list(load(write_crowd(Path(folder) / "schedule.py", count)).events.values())


def few_of_many(due: int, count: int) -> list[Event]:
    """``count`` events of which ``due`` are due every minute and the others in half a year.

    The instants are counted from 2027-01-15; the others have ``RECURRENCES`` recurrences.
    """
    with TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "schedule.py"
        file.write_text(
            "from clock import every\n\n"
            "every('minute', 'math.floor', name='often')\n"
            f"for number in range({RECURRENCES}):\n"
            "    hour, minute = divmod(number, 60)\n"
            "    every('year', 'math.floor', on='1 July', at=f'{hour:02}:{minute:02}',\n"
            "          name=f'seldom {number}')\n"
        )
        often, *seldom = load(file).events.values()
    frequent = [_copy(often, f"event {number}", number) for number in range(min(due, count))]
    rest = range(len(frequent), count)
    return frequent + [_copy(seldom[n % RECURRENCES], f"event {n}", n) for n in rest]


def _copy(event: Event, name: str, number: int) -> Event:
    return replace(event, name=name, args=(number,))
