"""Records what the code on the import path stores of a thousand recurrences.

``recorded_0_1_0.tsv`` was written by this file over the code of 0.1.0, and is never written anew:

    PYTHONPATH=<a checkout of 0.1.0> python tests/recurrence/recording.py <file>

Each line is a declaration, its identity and its text (empty where there is none), with tabs
between. The same seed gives the same declarations.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from clock import ClockError, load
from clock.recurrence import encoding
from clock.schedule.event import Event

COUNT = 1000
LONGEST = 540
"""Characters of a text that is recorded, so that the file stays small."""

PRELUDE = """\
from datetime import UTC, date, datetime, timedelta, timezone as offset
from pathlib import Path

from clock import cron, every, holidays, period, times, timezone

timezone("Asia/Tokyo")
DAYS_OFF = holidays(Path(__file__).with_name("days.ics"))


def is_odd(day):
    return day.day % 2 == 1


def eclipses():
    for year in range(2000, 2100):
        yield datetime(year, 8, 12, 17, 45, tzinfo=UTC)


"""
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20270101
END:VEVENT
END:VCALENDAR
"""

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["january", "february", "march", "june", "october", "december"]
ORDINALS = ["1st", "2nd", "third", "4th", "fifth", "last"]
ZONES = [
    "UTC", "Etc/GMT+3", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns",
    "America/Sao_Paulo", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Kathmandu",
]  # fmt: skip


class Declarations:
    """Calls of ``every``, one by one, of all its kinds; some are refused."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds: list[tuple[int, Callable[[], tuple[str, str]]]] = [
            (5, self._elapsed), (16, self._calendar), (6, self._on), (10, self._cron),
            (2, self._stream), (8, self._either), (8, self._without_days), (5, self._without),
        ]  # fmt: skip

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            weights, kinds = zip(*self._kinds, strict=True)
            period, options = self._random.choices(kinds, weights)[0]()
            yield f"every({period}, 'tasks.x', name='{number}'{options}{self._more()})"

    def _more(self) -> str:
        options = ""
        if self._chance(0.7):
            options += f", tz={self._pick(ZONES)!r}"
        if self._chance(0.25):
            options += f", gap={self._pick(['after', 'shift', 'skip'])!r}"
        if self._chance(0.25):
            options += f", fold={self._pick(['first', 'second', 'both'])!r}"
        if self._chance(0.12):
            options += f", spread={self._pick(['10m', '90s', '1h', '1d', '45s'])!r}"
        if self._chance(0.1):
            options += f", start={self._bound(2024)}"
        if self._chance(0.1):
            options += f", until={self._bound(2050)}"
        if self._chance(0.05):
            options += ", enabled=False"
        return options

    def _elapsed(self) -> tuple[str, str]:
        count = self._number(1, 100)
        period = self._pick(
            [
                f"'{count} seconds'", f"'{count + 1} minutes'", f"'{count + 1} hours'",
                f"'{count}h{self._number(1, 59)}m'", f"timedelta(seconds={self._number(1, 10**6)})",
            ]
        )  # fmt: skip
        return period, self._anchor(0.4)

    def _calendar(self) -> tuple[str, str]:
        count = self._number(2, 12)
        word = self._pick(
            [
                "minute", "hour", "day", "weekday", "weekend", *WEEKDAYS, f"{count} days",
                f"{count} weeks", "week", "month", f"{count} months", "year", f"{count} years",
            ]
        )  # fmt: skip
        if word == "minute":
            return f"'{word}'", self._pick(["", ", at='**:**:30'", ", at='**:1*'"])
        if word == "hour":
            times = [f"**:{self._number(0, 59):02}", f"{self._pick('012')}*:{self._pick('0345')}0"]
            return f"'{word}'", f", at={times[: self._number(1, 2)]!r}"
        if word.endswith(("week", "weeks")) and self._chance(0.8):
            names = self._random.sample(WEEKDAYS, self._number(1, 3))
            return f"'{word}'", f", at={[f'{name.title()} {self._time()}' for name in names]!r}"
        counted = word[0].isdigit() or word in {"week", "year", "month"}
        return f"'{word}'", self._at() + (self._anchor(0.4) if counted else "")

    def _on(self) -> tuple[str, str]:
        unit = self._pick(["month", "month", "2 months", "3 months", "year", "4 years"])
        days = [self._day("year" in unit) for _ in range(self._number(1, 3))]
        shown = repr(days[0]) if len(days) == 1 and self._chance(0.7) else repr(days)
        return f"'{unit}'", f", on={shown}{self._at()}{self._anchor(0.2)}"

    def _day(self, is_of_year: bool) -> int | str:
        day = self._pick(
            [str(self._number(1, 31)), "last", f"{self._pick(ORDINALS)} {self._pick(WEEKDAYS)}"]
        )
        if is_of_year and self._chance(0.8):
            return f"{day} of {self._pick(MONTHS)}"
        return int(day) if day.isdigit() else day

    def _cron(self) -> tuple[str, str]:
        return self._expression(), ""

    def _expression(self) -> str:
        if self._chance(0.06):
            return f"cron('{self._pick(['@daily', '@hourly', '@weekly', '@monthly', '@yearly'])}')"
        minute, hour = self._field(0, 59), self._field(0, 23)
        day = self._pick(["*", "*", "?", self._field(1, 28), "L", "L-3", "1,15,L"])
        month = self._pick(["*", "*", self._field(1, 12), "jan-mar", "jun,dec"])
        weekday = self._pick(
            ["*", "*", self._field(0, 6), "mon-fri", "friL", "tue#2", "sun,wed", "mon#1,thu#3"]
        )
        fields = [minute, hour, day, month, weekday]
        if self._chance(0.15):
            where = self._pick(["first", "last"])
            second = self._pick(["0", "30", "*/20", "5,35"])
            fields = [second, *fields] if where == "first" else [*fields, second]
            return f"cron({' '.join(fields)!r}, seconds={where!r})"
        return f"cron({' '.join(fields)!r})"

    def _field(self, low: int, high: int) -> str:
        one, other = sorted((self._number(low, high), self._number(low, high)))
        step = self._number(2, max(2, (high - low) // 2))
        return self._pick(["*", f"*/{step}", str(one), f"{one}-{other}", f"{one},{other}",
                           f"{one}-{other}/{step}", str(other)])  # fmt: skip

    def _stream(self) -> tuple[str, str]:
        day, zone = self._date(2026), self._pick(["UTC", "offset(timedelta(hours=5.5))"])
        listed = f"[datetime({day.year}, {day.month}, {day.day}, tzinfo={zone})]"
        return self._pick(["times(eclipses)", f"times({listed})", f"times(tuple({listed}))"]), ""

    def _side(self) -> str:
        words = ["12 hours", "day at 12:00", "month", "weekday at 09:30", "90 minutes", "hour",
                 "month on last friday at 23:30", "2 weeks at Monday 08:00",
                 "3 days counted from 2026-01-02"]  # fmt: skip
        return self._pick([self._expression(), f"period({self._pick(words)!r})"])

    def _either(self) -> tuple[str, str]:
        sides = [self._side() for _ in range(self._number(2, 3))]
        if self._chance(0.05):
            sides.append("times(eclipses)")
        return " | ".join(sides), ""

    def _without_days(self) -> tuple[str, str]:
        listed = ", ".join(_spell(self._date(2026)) for _ in range(self._number(1, 5)))
        dates = self._pick(
            [f"{{{listed}}}", f"[{listed}]", f"{{{listed}}}", "DAYS_OFF", "is_odd",
             "(lambda day: day.day == 13)"]
        )  # fmt: skip
        return f"{self._side()} - {dates}", ""

    def _without(self) -> tuple[str, str]:
        kept = self._side() if self._chance(0.6) else f"({self._side()} | {self._side()})"
        return f"{kept} - {self._side()}", ""

    def _at(self) -> str:
        if self._chance(0.15):
            return ""
        times = [self._time() for _ in range(self._number(1, 3))]
        return f", at={(times[0] if len(times) == 1 else times)!r}"

    def _time(self) -> str:
        time = f"{self._number(0, 23):02}:{self._number(0, 59):02}"
        return f"{time}:{self._number(0, 59):02}" if self._chance(0.1) else time

    def _anchor(self, chance: float) -> str:
        return f", anchor={self._bound(2020)}" if self._chance(chance) else ""

    def _bound(self, year: int) -> str:
        day = self._date(year)
        instant = f"datetime({day.year}, {day.month}, {day.day}, {self._number(0, 23)}, 30, "
        return self._pick(
            [_spell(day), repr(day.isoformat()), f"{instant}tzinfo=UTC)",
             f"{instant}tzinfo=offset(timedelta(hours=-3)))"]
        )  # fmt: skip

    def _date(self, year: int) -> date:
        return date(year, 1, 1) + timedelta(days=self._number(0, 700))

    def _number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def _pick(self, items: Sequence[str]) -> str:
        return self._random.choice(items)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share


def read(folder: Path, declarations: list[str]) -> list[Event]:
    """The events of ``declarations``, in order. Raises ScheduleError."""
    (folder / "days.ics").write_text(CALENDAR)
    file = folder / "schedule.py"
    file.write_text(PRELUDE + "\n".join(declarations) + "\n")
    return list(load(file).events.values())


def stored(event: Event) -> tuple[str, str]:
    """What is stored of an event's recurrence: its identity, and its text, empty if it has none."""
    # Equal recurrences may have texts that differ in where their dates come from.
    encoding.encode.cache_clear()
    encoding._shared.cache_clear()
    return event.identity(), encoding.encode(event.recurrence) or ""


def record(path: Path) -> None:
    """Write a line for each of so many different recurrences."""
    known: set[str] = set()
    with tempfile.TemporaryDirectory() as folder, path.open("w", encoding="utf-8") as file:
        for declaration in Declarations(seed=13):
            try:
                (event,) = read(Path(folder), [declaration])
            except ClockError:
                continue
            digest, text = stored(event)
            if digest in known or len(text) > LONGEST:
                continue
            known.add(digest)
            file.write(f"{declaration}\t{digest}\t{text}\n")
            if len(known) == COUNT:
                return


def _spell(day: date) -> str:
    return f"date({day.year}, {day.month}, {day.day})"


if __name__ == "__main__":
    record(Path(sys.argv[1]))
