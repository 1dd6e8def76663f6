"""What does a next time cost?

Alone: one `*/5 * * * *` in New York, from one occurrence to the next, through a month with a clock
change. cronsim and croniter do the same, with the object that each keeps for it. Amortised: 10,000
events that share 300 such recurrences go through the timetable, which picks the events that are
due, returns them and computes their next times; croniter computes one next time for each.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import RECURRENCES
from benchmarks.ratio import Pairs, pairs, seconds
from clock import cron
from clock.loop.due import TimetableRow
from clock.loop.timetable import Timetable
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.zone import zone

LINE = "*/5 * * * *"
NEW_YORK = "America/New_York"
BEGINNING = 1_792_500_000
"""In October 2026, some days before New York's clocks go back."""


def measure(*, quick: bool = False) -> Answer:
    """The goals, and microseconds for each."""
    times, events, runs = (20, 30, 1) if quick else (10_000, 10_000, 5)
    with_croniter = pairs(runs, lambda: _ours(times), lambda: _croniter(times))
    shared = pairs(runs, lambda: _shared(events), lambda: _croniter(times) * events / times)
    facts = [
        f"one next time: {_micro(with_croniter.ours, times)}, "
        f"croniter {_micro(with_croniter.peer, times)}, ratio {with_croniter.cost:.3f}",
        f"amortised over {events:,} events, the timetable's work included: "
        f"{_micro(shared.ours, events)}, ratio to croniter {shared.cost:.3f}",
    ]
    with_cronsim = _with_cronsim(times, runs)
    if with_cronsim is not None:
        facts.append(
            f"one next time, in turns with cronsim: {_micro(with_cronsim.ours, times)}, "
            f"cronsim {_micro(with_cronsim.peer, times)}, ratio {with_cronsim.cost:.3f}"
        )
    return Answer(
        goals=[
            Goal(
                what="next time, amortised, against croniter's",
                measured=shared.cost,
                goal=0.1,
                least=0.3,
            ),
            *_alone(with_croniter, with_cronsim),
        ],
        facts=facts,
    )


def _alone(with_croniter: Pairs, with_cronsim: Pairs | None) -> Iterator[Goal]:
    # The goal is cronsim's time, the least that is accepted croniter's: one figure, two peers.
    against_cronsim = None if with_cronsim is None else with_cronsim.cost
    croniters = 1.0 if against_cronsim is None else against_cronsim / with_croniter.cost
    yield Goal(
        what="next time alone, against cronsim's (accepted: croniter's)",
        measured=against_cronsim,
        goal=1.0,
        least=max(croniters, 1.0),
    )


def _ours(times: int) -> float:
    recurrence = _recurrence(LINE)

    def walk() -> None:
        at: int | None = BEGINNING
        for _ in range(times):
            assert at is not None
            at = recurrence.next(at)

    return seconds(walk)


def _croniter(times: int) -> float:
    start = datetime.fromtimestamp(BEGINNING, ZoneInfo(NEW_YORK))
    return _drawn(croniter(LINE, start).get_next, times)


def _with_cronsim(times: int, runs: int) -> Pairs | None:
    try:
        cronsim: Any = importlib.import_module("cronsim").CronSim
    except ImportError:
        return None
    start = datetime.fromtimestamp(BEGINNING, ZoneInfo(NEW_YORK))
    return pairs(runs, lambda: _ours(times), lambda: _drawn(cronsim(LINE, start).__next__, times))


def _drawn(draw: Callable[[], object], times: int) -> float:
    def work() -> None:
        for _ in range(times):
            draw()

    return seconds(work)


def _shared(events: int) -> float:
    """One instant's crowd goes through the timetable; the others of the crowd wait."""
    recurrences = [_recurrence(f"*/5 {n % 24}-23 * * {n % 7}-6") for n in range(RECURRENCES)]
    timetable = Timetable(
        [TimetableRow(recurrence=recurrences[n % RECURRENCES]) for n in range(events)]
    )
    for index in range(events):
        timetable.begin(index, BEGINNING)
    passed = 0

    def work() -> None:
        nonlocal passed
        while passed < events:
            now = timetable.next_due()
            assert now is not None
            due = timetable.due(now, 500)
            for row in due:
                timetable.advance(row, row.last)
            passed += len(due)

    return seconds(work) * events / max(passed, events)


def _recurrence(line: str) -> Recurrence:
    return cron(line).recurrence(zone(NEW_YORK), "after", "first")


def _micro(seconds: Sequence[float], times: int) -> str:
    return f"{1e6 * median(seconds) / times:.2f} µs"
