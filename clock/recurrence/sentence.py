"""A recurrence in an English sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import product

from clock.recurrence.bounds import Bounded
from clock.recurrence.business import BusinessDays
from clock.recurrence.dates import DateSet
from clock.recurrence.days import DayRule, Days, EveryDays, ListedDays, MonthDays, WeekDays
from clock.recurrence.difference import DaysOff, Difference
from clock.recurrence.elapsed import Elapsed, spell_seconds
from clock.recurrence.local_times import Between, OnDays, spell_span
from clock.recurrence.on import MONTHS
from clock.recurrence.ordinal import ordinal
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.spread import Later
from clock.recurrence.stream import Stream
from clock.recurrence.union import Union
from clock.recurrence.wall import DAY, Wall
from clock.recurrence.weekdays import WEEKDAYS
from clock.recurrence.zone import BEGINNING, END

MINUTE, HOUR = 60, 3600

MANY = 6
"""The most times that are listed; more are given by their number, first and last."""


def sentence(recurrence: Recurrence) -> str:
    """``recurrence`` as a sentence without a full stop; times of day are those of its zone."""
    match recurrence:
        case Elapsed():
            return f"every {_per(spell_seconds(recurrence.period))} of real time"
        case Wall():
            return _wall(recurrence)
        case Stream():
            return f"at the instants of {recurrence.name}"
        case Union():
            return ", and ".join(sentence(part) for part in recurrence.parts)
        case Difference():
            return f"{sentence(recurrence.kept)}, but not {sentence(recurrence.taken)}"
        case DaysOff():
            return f"{sentence(recurrence.kept)}, but not on the days of {recurrence.dates}"
        case Between():
            span = spell_span(recurrence.first, recurrence.last, " and ")
            return f"{sentence(recurrence.inner)}, between {span}"
        case OnDays():
            return f"{sentence(recurrence.inner)}, {_days(recurrence.days)}"
        case Later():
            by = spell_seconds(recurrence.by)
            return f"{sentence(recurrence.inner)}, each time {by} later"
        case Bounded():
            return sentence(recurrence.inner) + _bounds(recurrence)
    return repr(recurrence)


def _per(words: str) -> str:
    return words.removeprefix("1 ")


def _bounds(bounded: Bounded) -> str:
    words = ""
    for word, bound in (("from", bounded.start), ("until", bounded.until)):
        if bound not in {BEGINNING, END}:
            words += f", {word} {datetime.fromtimestamp(bound, UTC):%Y-%m-%d %H:%M:%SZ}"
    return words


def _wall(wall: Wall) -> str:
    days, times = _days(wall.days), _times(wall.seconds)
    return times if days == "every day" and not times.startswith("at ") else f"{days} {times}"


def _times(seconds: Sequence[int]) -> str:
    if len(seconds) > 1:
        step = seconds[1] - seconds[0]
        if len(seconds) * step == DAY and seconds == range(seconds[0], DAY, step):
            return f"every {_per(spell_seconds(step))}{_offset(seconds[0], step)}"
    if len(seconds) <= MANY:
        return f"at {_list([_clock(second) for second in seconds])}"
    hours = sorted({second // HOUR for second in seconds})
    rest = sorted({second % HOUR for second in seconds})
    if len(rest) <= MANY and [h * HOUR + r for h, r in product(hours, rest)] == list(seconds):
        return f"at {_list([_minutes(second) for second in rest])} past {_runs(hours)} o'clock"
    return f"{len(seconds)} times a day from {_clock(seconds[0])} to {_clock(seconds[-1])}"


def _offset(first: int, step: int) -> str:
    if first == 0:
        return ""
    if step == HOUR:
        return f" at {_minutes(first)} past"
    return f" at second {first}" if step == MINUTE else f", first at {_clock(first)}"


def _clock(second: int) -> str:
    minutes, seconds = divmod(second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def _minutes(second: int) -> str:
    return f"{second // 60}" + (f":{second % 60:02}" if second % 60 else "")


def _days(days: Days) -> str:
    match days:
        case EveryDays():
            return "every day" if days.count == 1 else f"every {days.count} days"
        case WeekDays():
            every = "" if days.count == 1 else f" of every {ordinal(days.count)} week"
            return f"on {_weekdays(days.weekdays)}{every}"
        case ListedDays():
            return f"on the days of {DateSet(days.days)}"
        case MonthDays():
            return f"on {_of_month(days.rule)} {_months(days)}"
        case BusinessDays():
            return f"on {_business(days)} {_months(days)}"
    return repr(days)


def _weekdays(weekdays: Sequence[int]) -> str:
    named = {(0, 1, 2, 3, 4): "Monday to Friday", (5, 6): "Saturday and Sunday"}
    every = tuple(sorted(weekdays))
    return named.get(every) or _list([WEEKDAYS[weekday].capitalize() for weekday in every])


def _of_month(rule: DayRule) -> str:
    numbers = [f"the {ordinal(day)}" for day in sorted(rule.days)]
    if len(numbers) > MANY:
        numbers = [f"days {_runs(sorted(rule.days))}"]
    for distance in sorted(rule.before_end):
        numbers.append("the last day" if distance == 0 else f"day {distance} before the last")
    names = [WEEKDAYS[weekday].capitalize() for weekday in sorted(rule.weekdays)]
    if numbers and names and not rule.both:
        names = [f"any {name}" for name in names]
    for weekday, number in sorted(rule.nth, key=lambda pair: (pair[1] % 7, pair[0])):
        which = "last" if number == -1 else ordinal(number)
        names.append(f"the {which} {WEEKDAYS[weekday].capitalize()}")
    if rule.both:
        return f"{_list(numbers, 'or')} if it is {_list(names, 'or')},"
    return _list(numbers + names, "or" if numbers and rule.weekdays else "and")


def _business(days: BusinessDays) -> str:
    names = [f"the {ordinal(nth)}" for nth in sorted(days.nth) if nth > 0]
    names += ["the last"] * (-1 in days.nth)
    words = [f"{_list(names)} weekday"] if names else []
    words += [f"the weekday nearest to the {ordinal(day)}" for day in sorted(days.nearest)]
    return _list(words) + (f" (but {len(days.off)} days off)" if days.off else "")


def _months(days: MonthDays | BusinessDays) -> str:
    if days.count % 12 == 0 and len(days.months) == 1:
        (month,) = days.months
        every = "every year" if days.count == 12 else f"every {ordinal(days.count // 12)} year"
        return f"of {MONTHS[month - 1].capitalize()}, {every},"
    if len(days.months) < 12:
        return f"in {_list([MONTHS[month - 1].capitalize() for month in sorted(days.months)])}"
    return "of every month" if days.count == 1 else f"of every {ordinal(days.count)} month"


def _runs(numbers: Sequence[int]) -> str:
    """Ascending numbers with their runs drawn together: ``9 to 18 and 22``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return _list([f"{run[0]} to {run[-1]}" if len(run) > 2 else _list(run) for run in runs])


def _list(words: Collection[object], last: str = "and") -> str:
    *firsts, final = map(str, words)
    return f"{', '.join(firsts)} {last} {final}" if firsts else final
