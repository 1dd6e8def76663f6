"""Asking users' code: what conditions say, and what streams of times and functions of dates know.

It runs in side threads. An event that is being asked about waits, and nobody else does.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, cast

from clock.decision import Kind
from clock.schedule.event import Event, Occurrence
from clock.side_threads import Answer, SideThreads
from clock.timetable import Due, Step, Timetable
from clock.trouble import Trouble

SLOW = 0.1
"""Seconds after which the answer of a condition is worth a line: its event is late by as much."""


class Ready(NamedTuple):
    """What is due of an event, and what it is to be claimed as; its user's code has been asked."""

    due: Due
    kind: Kind = Kind.FIRED


class Asked(NamedTuple):
    """A condition that is being asked about ``due``, since ``since``."""

    due: Due
    since: float


class Asking:
    """The questions that are open: for each event one to its condition, and one to its times.

    Every ``moment`` is seconds of a clock that only goes forward.
    """

    def __init__(
        self, events: Sequence[Event], timetable: Timetable, trouble: Trouble, timeout: float
    ) -> None:
        self._events = events
        self._timetable = timetable
        self._trouble = trouble
        self._timeout = timeout
        self._threads = SideThreads()
        self._conditions: dict[int, Asked] = {}
        self._times: dict[int, float] = {}
        self._ready: list[Ready] = []
        self.bell = self._threads.bell
        """Rings when there is an answer."""

    def __bool__(self) -> bool:
        """Whether an answer is waited for that is not late."""
        return bool(self._conditions or self._times)

    def ask(self, dues: Iterable[Due], moment: float, now: float) -> list[Ready]:
        """Ask the conditions of what is due; what has none to ask is ready at once."""
        ready = []
        for due in dues:
            condition = self._events[due.row].policy.condition
            if condition is None or due.fire is None:
                ready.append(Ready(due))
            elif self._threads.is_running((due.row, "condition")):
                # It hangs, in the one thread it gets.
                ready.append(self._failed(due, "its condition still has not answered", now))
            else:
                event = self._events[due.row]
                about = Occurrence(event=event.name, scheduled_at=event.local(due.fire))
                self._conditions[due.row] = Asked(due, moment)
                self._threads.start(
                    (due.row, "condition"), partial(_verdict, condition, about), event.name
                )
        return ready

    def take(self, steps: Iterable[Step], moment: float) -> None:
        """Take steps of events whose times are users' code."""
        for step in steps:
            self._times[step.row] = moment
            self._threads.start((step.row, "times"), step.take, self._events[step.row].name)

    def ready(self, most: int, moment: float, now: float) -> list[Ready]:
        """What has become ready, of ``most`` events at most; ``now`` is UTC seconds since 1970.

        Next times that came are entered in the timetable.
        """
        for answer in self._threads.answers(most - len(self._ready)):
            row, what = cast("tuple[int, str]", answer.key)
            if what == "times":
                self._came(row, answer, moment, now)
            elif (asked := self._conditions.pop(row, None)) is not None:
                self._ready.append(self._answered(asked, answer, moment, now))
        self._look_at_late_ones(moment, now)
        ready, self._ready = self._ready, []
        return ready

    def due_in(self, moment: float) -> float | None:
        """Seconds until a condition is late with its answer; None where none is asked."""
        # All have the same time, so the one asked first is late first.
        first = next(iter(self._conditions.values()), None)
        return None if first is None else max(first.since + self._timeout - moment, 0.0)

    def conditions(self) -> Iterator[tuple[Event, int]]:
        """The events whose conditions are being asked, each with the occurrence they decide."""
        for row, asked in self._conditions.items():
            if asked.due.fire is not None:
                yield self._events[row], asked.due.fire

    def _answered(self, asked: Asked, answer: Answer, moment: float, now: float) -> Ready:
        if answer.error is not None:
            return self._failed(asked.due, f"its condition raised {answer.error}", now)
        if (took := moment - asked.since) > SLOW:
            row = asked.due.row
            fields = {"event": self._events[row].name, "condition_took": round(took, 3)}
            self._trouble.say((row, "slow"), fields, now, message="slow", level=logging.WARNING)
        return Ready(asked.due, Kind.FIRED if answer.value else Kind.UNMET)

    def _came(self, row: int, answer: Answer, moment: float, now: float) -> None:
        self._times.pop(row, None)
        if answer.error is not None:
            self._say(row, "times", answer.error, now)
        elif isinstance(answer.value, Due):
            self._ready += self.ask([answer.value], moment, now)
        else:
            self._timetable.taken(row, cast("int | None", answer.value))

    def _look_at_late_ones(self, moment: float, now: float) -> None:
        while self._conditions and self.due_in(moment) == 0:
            row, asked = next(iter(self._conditions.items()))
            del self._conditions[row]
            reason = f"its condition has not answered in {self._timeout:g} s"
            self._ready.append(self._failed(asked.due, reason, now))
        while self._times and moment - next(iter(self._times.values())) >= self._timeout:
            row = next(iter(self._times))
            del self._times[row]
            reason = f"its times have not come in {self._timeout:g} s; it waits for them"
            self._say(row, "times", reason, now)

    def _failed(self, due: Due, reason: str, now: float) -> Ready:
        self._say(due.row, "condition", reason, now)
        return Ready(due, Kind.ERROR)

    def _say(self, row: int, kind: str, reason: str, now: float) -> None:
        self._trouble.say((row, kind), {"event": self._events[row].name, "reason": reason}, now)


def _verdict(condition: Callable[[Occurrence], object], about: Occurrence) -> bool:
    """What a condition says. Raises what it raises, and TypeError for what is no answer."""
    said = condition(about)
    if inspect.iscoroutine(said):
        said.close()  # else Python warns of one that was never awaited
    if inspect.isawaitable(said):
        raise TypeError(f"it returned {type(said).__name__!r}, which is awaited, not an answer")
    return bool(said)
