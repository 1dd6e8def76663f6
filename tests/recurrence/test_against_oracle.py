"""Every clock change of every zone, 2020 to 2037, and the odd ones of the past, by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
import pytz

from clock.recurrence.cron_rule import CronRule
from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.rule import Rule
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.weekdays import WEEKDAYS
from clock.recurrence.zone import zone
from tests.recurrence import oracle
from tests.recurrence.reading import narrow, rule

GAPS: tuple[Gap, ...] = ("after", "shift", "skip")
FOLDS: tuple[Fold, ...] = ("first", "second", "both")


@dataclass(frozen=True)
class Case:
    """A recurrence twice: as the package reads it, and as the oracle matches it."""

    rule: Rule
    matches: oracle.Matches
    starred: bool = False


def year(number: int) -> int:
    return int(datetime(number, 1, 1, tzinfo=UTC).timestamp())


def cases(at: datetime, edge: datetime) -> Iterator[Case]:
    """Recurrences that meet the local time ``at``, and its first, ``edge``."""
    h, m, day, weekday = at.hour, at.minute, at.day, at.weekday()
    clock = f"{h:02}:{m:02}"

    def daily(local: datetime) -> bool:
        return (local.hour, local.minute) == (h, m)

    def quarterly(local: datetime) -> bool:
        return local.minute % 15 == 0

    def later(local: datetime) -> bool:
        return (local - edge) // oracle.MINUTE % 1440 in {0, 70}

    yield Case(rule("day", at=clock), daily)
    yield Case(rule("day", at=f"{at:%I:%M%p}"), daily)
    yield Case(rule("hour", at=f"**:{m:02}"), lambda local: local.minute == m, starred=True)
    yield Case(
        CronRule(f"{m} */2 * * *"),
        lambda local: local.minute == m and local.hour % 2 == 0,
        starred=True,
    )
    yield Case(
        rule("day", at=f"{edge:%H:%M}"),
        lambda local: (local.hour, local.minute) == (edge.hour, edge.minute),
    )
    yield Case(rule("day", at=[f"{edge:%H:%M}", f"{edge + 70 * oracle.MINUTE:%H:%M}"]), later)
    yield Case(CronRule("*/15 * * * *"), quarterly, starred=True)
    yield Case(CronRule(f"0-59/15 {h} * * *"), lambda local: quarterly(local) and local.hour == h)
    yield Case(
        CronRule(f"*/15 {h} * * *"),
        lambda local: quarterly(local) and local.hour == h,
        starred=True,
    )
    yield Case(
        rule("2 hours", at=f"**:{m:02}"),
        lambda local: local.minute == m and local.hour % 2 == 0,
        starred=True,
    )
    yield Case(
        rule([WEEKDAYS[weekday], WEEKDAYS[weekday - 2]], at=clock),
        lambda local: daily(local) and local.weekday() in {weekday, (weekday - 2) % 7},
    )
    yield Case(
        rule(WEEKDAYS[weekday], at=clock),
        lambda local: daily(local) and local.weekday() == weekday,
    )
    yield Case(rule("month", on=day, at=clock), lambda local: daily(local) and local.day == day)
    yield Case(
        rule("month", on="last weekday", at=clock),
        lambda local: daily(local) and local.date() == last_weekday(local),
    )
    yield Case(
        CronRule(f"{m} {h} {day} * {(weekday + 3) % 7}"),
        lambda local: daily(local) and (local.day == day or local.weekday() == (weekday + 2) % 7),
    )


def last_weekday(of: datetime) -> date:
    """The last day from Monday to Friday of a month."""
    day = (of.replace(day=28) + timedelta(days=4)).replace(day=1).date() - timedelta(days=1)
    return day - timedelta(days=max(day.weekday() - 4, 0))


def touched(row: oracle.Minutes, change: int) -> tuple[datetime, datetime]:
    """The middle and the first of the local times that the change skips or repeats."""
    position = (change - row[0][0]) // 60
    last, first = row[position - 1][1] + oracle.MINUTE, row[position][1]
    edge = min(last, first)
    return (edge + abs(first - last) / 2).replace(second=0), edge


SPANS = ((0, 30), (-30, 30), (-90, -30), (60, -60))
"""Minutes from the first local time that a change skips or repeats: where ``between`` begins and
ends."""


def narrowed(zone_name: str, change: int, hours: int) -> list[str]:
    """Where ``between`` and ``days`` leave something else than the oracle, around one change."""
    row = oracle.minutes(zone_name, change - hours * 3600, change + hours * 3600 + 60)
    shown = dict(row)
    _, edge = touched(row, change)
    where, after, until = zone(zone_name), row[0][0] - 1, row[-1][0] - 1
    results = []
    for begin, end in SPANS:
        first, last = (edge + begin * oracle.MINUTE).time(), (edge + end * oracle.MINUTE).time()
        day = WEEKDAYS[edge.weekday()]
        when = narrow(rule("*/5 * * * *"), between=(first, last), days=day)
        fires = [
            instant
            for instant, local in row[:-1]
            if local.minute % 5 == 0
            and local.weekday() == edge.weekday()
            and (
                first <= local.time() <= last
                if first <= last
                else local.time() >= first or local.time() <= last
            )
        ]
        if list(between(when.recurrence(where, "after", "first"), after, until)) != fires:
            results.append(f"{zone_name} {shown[change]}: {when}")
    return results


Expected = list[tuple[Rule, Gap, Fold, list[int]]]


def expected(zone_name: str, change: int, hours: int) -> Expected:
    """What the oracle says of every case, gap and fold within some hours of a change."""
    row = oracle.minutes(zone_name, change - hours * 3600, change + hours * 3600 + 60)
    never = oracle.skipped(row)
    results: Expected = []
    for case in cases(*touched(row, change)):
        met = oracle.meet(row, never, case.matches)
        for gap, fold in product(GAPS, FOLDS):
            fires = oracle.occurrences(met, starred=case.starred, gap=gap, fold=fold)
            results.append((case.rule, gap, fold, fires))
    return results


def differences(zone_name: str, change: int, hours: int, oracle_says: Expected) -> list[str]:
    """Where the package disagrees around one change; an empty list where it does not."""
    where, after, until = zone(zone_name), change - hours * 3600 - 1, change + hours * 3600 - 1
    results: list[str] = []
    answers: dict[Recurrence, list[int]] = {}
    for when, gap, fold, fires in oracle_says:
        recurrence = when.recurrence(where, gap, fold)
        if recurrence not in answers:
            answers[recurrence] = list(between(recurrence, after, until))
        if answers[recurrence] != fires:
            results.append(f"{zone_name} {change}: {when} gap={gap} fold={fold}")
    return results


def zones_by_shape(first: int, last: int) -> list[tuple[Sequence[int], list[str]]]:
    """The zones that change from the year ``first`` to ``last``, those that change alike together,
    after the instants at which they do.

    Alike for both sides: the changes the oracle sees, with their offsets, and the package's seams.
    """
    shapes: dict[tuple[object, ...], tuple[Sequence[int], list[str]]] = {}
    for name in pytz.all_timezones:
        seen = tuple(oracle.changes(name, year(first), year(last + 1)))
        if seen:
            known = zone(name)
            local = pytz.timezone(name)
            offsets = [datetime.fromtimestamp(instant, local).utcoffset() for instant in seen]
            shape = (seen, *offsets, known.starts[-80:], known.offsets[-80:])
            shapes.setdefault(shape, (seen, []))[1].append(name)
    return list(shapes.values())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("first", "last", "zones"),
    [
        (2020, 2022, 200), (2023, 2025, 200), (2026, 2028, 200),
        (2029, 2031, 180), (2032, 2034, 180), (2035, 2037, 180),
    ],
)  # fmt: skip
def test_every_change_of_every_zone_is_met_by_the_rule(first: int, last: int, zones: int) -> None:
    shapes, wrong = zones_by_shape(first, last), list[str]()
    known: dict[tuple[object, ...], Expected] = {}
    assert sum(len(names) for _, names in shapes) > zones
    for changes, names in shapes:
        local = pytz.timezone(names[0])
        for change in changes:
            # Zones that go from the same offset to the same at one instant show the same minutes.
            sides = (
                datetime.fromtimestamp(instant, local).utcoffset()
                for instant in (change - 1, change)
            )
            shape = (change, *sides)
            if shape not in known:
                known[shape] = expected(names[0], change, 13)
            wrong += differences(names[0], change, 13, known[shape])
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("Pacific/Apia", 2010, 2012, 6),  # a whole day was skipped in 2011
        ("Australia/Lord_Howe", 2019, 2021, 6),  # half an hour
        ("Antarctica/Troll", 2019, 2021, 6),  # two hours
        ("America/Sao_Paulo", 2016, 2019, 7),  # midnight was skipped
        ("Africa/Cairo", 2010, 2014, 8),  # midnight, and pauses for Ramadan
        ("Africa/Cairo", 2023, 2025, 6),
        ("Africa/Casablanca", 2012, 2019, 29),  # pairs around Ramadan
        ("Europe/Dublin", 2019, 2021, 6),  # winter is the exception there, not summer
        ("America/Caracas", 2007, 2016, 2),  # half an hour back in 2007, forth in 2016
        ("Asia/Pyongyang", 2015, 2018, 2),  # half an hour back in 2015, forth in 2018
        ("Asia/Gaza", 2008, 2016, 18),
        ("America/Scoresbysund", 2023, 2025, 5),
    ],
)
def test_an_odd_zone_is_met_by_the_rule(name: str, first: int, last: int, count: int) -> None:
    changes = list(oracle.changes(name, year(first), year(last + 1)))
    assert len(changes) == count
    for change in changes:
        assert differences(name, change, 26, expected(name, change, 26)) == []
        assert narrowed(name, change, 26) == []
