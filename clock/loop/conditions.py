"""Asking users' code: what conditions say, and what streams of times and functions of dates know.

It runs in side threads. An event that is being asked about waits, and nobody else does.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, cast

from clock.decision import Kind
from clock.loop.side_threads import Answer, SideThreads
from clock.loop.timetable import Due, Step, Timetable
from clock.loop.trouble import EventTrouble
from clock.schedule.event import ConditionTime, Event

SLOW = 0.1
"""Seconds; a condition that takes longer is worth a line: it makes its own event late."""


class Ready(NamedTuple):
    """What is due of an event, and what it is to be claimed as; its user's code has been asked."""

    due: Due
    kind: Kind = Kind.FIRED


class AskedOccurrence(NamedTuple):
    """A condition that is being asked about ``due``, since ``since``."""

    due: Due
    since: float


class ConditionResult(NamedTuple):
    """What a condition said, and how many seconds that took."""

    is_met: bool
    took: float


class Conditions:
    """The questions that are open: for each event one to its condition, and one to its times.

    Every ``now`` is UTC seconds since 1970.
    """

    def __init__(
        self,
        events: Sequence[Event],
        timetable: Timetable,
        trouble: EventTrouble,
        *,
        timeout: float,
        moment: Callable[[], float],
    ) -> None:
        """A condition has ``timeout`` seconds; ``moment`` gives seconds that only go forward."""
        self._events = events
        self._timetable = timetable
        self._trouble = trouble
        self._timeout = timeout
        self._moment = moment
        self._threads = SideThreads()
        self._conditions: dict[int, AskedOccurrence] = {}
        self._times: dict[int, float] = {}
        self._ready: list[Ready] = []
        self._waiting: deque[Due] = deque()
        self.wakeup = self._threads.wakeup
        """Rings when there is an answer."""

    def __bool__(self) -> bool:
        """Whether an answer is waited for that is not late."""
        return bool(self._conditions or self._times)

    def sort(self, dues: Iterable[Due]) -> list[Ready]:
        """Those that have no condition to ask, so are ready; the others wait to be asked."""
        ready = []
        for due in dues:
            if self._events[due.row].policy.condition is None or due.fire is None:
                ready.append(Ready(due))
            else:
                self._waiting.append(due)
        return ready

    def begin(self, most: int, now: float) -> bool:
        """Ask the conditions of ``most`` that wait, at most; whether any did."""
        if not self._waiting:
            return False
        for _ in range(min(most, len(self._waiting))):
            self._ask(self._waiting.popleft(), now)
        return True

    def give_back(self) -> list[Due]:
        """What waits to be asked, and is not asked any more."""
        dues = list(self._waiting)
        self._waiting.clear()
        return dues

    def take(self, steps: Iterable[Step]) -> None:
        """Take steps of events whose times are users' code."""
        for step in steps:
            self._times[step.row] = self._moment()
            self._threads.start((step.row, "times"), step.take, self._events[step.row].name)

    def ready(self, most: int, now: float) -> list[Ready]:
        """What has become ready, of ``most`` events at most.

        Next times that came are entered in the timetable.
        """
        for answer in self._threads.answers(most - len(self._ready)):
            row, what = cast("tuple[int, str]", answer.key)
            if what == "times":
                self._came(row, answer, now)
            elif (asked := self._conditions.pop(row, None)) is not None:
                self._ready.append(self._answered(asked.due, answer, now))
        self._look_at_late_ones(now)
        ready, self._ready = self._ready, []
        return ready

    def due_in(self) -> float | None:
        """Seconds until a condition is late with its answer; None where none is asked."""
        # All have the same time, so the one asked first is late first.
        first = next(iter(self._conditions.values()), None)
        return None if first is None else max(first.since + self._timeout - self._moment(), 0.0)

    def conditions(self) -> Iterator[tuple[Event, int]]:
        """The events whose conditions are being asked, each with the occurrence they decide."""
        for row, asked in self._conditions.items():
            if asked.due.fire is not None:
                yield self._events[row], asked.due.fire

    def _ask(self, due: Due, now: float) -> None:
        event, key = self._events[due.row], (due.row, "condition")
        if event.policy.condition is None or due.fire is None:
            return
        if self._threads.is_running(key):
            # It hangs, in the one thread it gets.
            self._ready.append(self._failed(due, "its condition still has not answered", now))
            return
        about = ConditionTime(event=event.name, scheduled_at=event.local(due.fire))
        self._conditions[due.row] = AskedOccurrence(due, self._moment())
        self._threads.start(
            key, partial(_verdict, event.policy.condition, about, self._moment), event.name
        )

    def _answered(self, due: Due, answer: Answer, now: float) -> Ready:
        if answer.error is not None:
            return self._failed(due, f"its condition raised {answer.error}", now)
        verdict = cast("ConditionResult", answer.value)
        if verdict.took > SLOW:
            self._trouble.slow(due.row, verdict.took, now)
        return Ready(due, Kind.FIRED if verdict.is_met else Kind.UNMET)

    def _came(self, row: int, answer: Answer, now: float) -> None:
        self._times.pop(row, None)
        if answer.error is not None:
            self._trouble.say(row, "times", answer.error, now)
        elif isinstance(answer.value, Due):
            self._ready += self.sort([answer.value])
        else:
            self._timetable.taken(row, cast("int | None", answer.value))

    def _look_at_late_ones(self, now: float) -> None:
        while self._conditions and self.due_in() == 0:
            row, asked = next(iter(self._conditions.items()))
            del self._conditions[row]
            reason = f"its condition has not answered in {self._timeout:g} s"
            self._ready.append(self._failed(asked.due, reason, now))
        while self._times and self._moment() - next(iter(self._times.values())) >= self._timeout:
            row = next(iter(self._times))
            del self._times[row]
            reason = f"its times have not come in {self._timeout:g} s; it waits for them"
            self._trouble.say(row, "times", reason, now)

    def _failed(self, due: Due, reason: str, now: float) -> Ready:
        self._trouble.say(due.row, "condition", reason, now)
        return Ready(due, Kind.ERROR)


def _verdict(
    condition: Callable[[ConditionTime], object], about: ConditionTime, moment: Callable[[], float]
) -> ConditionResult:
    """The answer of a condition. Raises what it raises, and TypeError for an awaitable."""
    begin = moment()
    answer = condition(about)
    if inspect.iscoroutine(answer):
        answer.close()  # else Python warns of one that was never awaited
    if inspect.isawaitable(answer):
        raise TypeError(f"it returned {type(answer).__name__!r}, which is awaited, not an answer")
    return ConditionResult(bool(answer), moment() - begin)
