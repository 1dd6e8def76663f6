"""Conditions, streams of times and functions of dates: code of users, called in side threads.

An event whose code runs waits for it, and no other event does.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple, cast

from clock import log
from clock.decision import Kind
from clock.loop.due import Due
from clock.loop.side_threads import Answer, SideThreads
from clock.loop.timetable import Timetable, UserCall
from clock.loop.trouble import EventTrouble
from clock.loop.wakeup import Wakeup
from clock.schedule.condition_time import ConditionTime
from clock.schedule.event import Event

SLOW = 0.1
"""Seconds; a condition that takes longer is worth a line: it makes its own event late."""

NAMED = 20
"""Events that are named at the end of a clock because their conditions had not answered."""


class Ready(NamedTuple):
    """What is due of an event, and what it is to be claimed as; its condition has answered."""

    due: Due
    kind: Kind = Kind.FIRED


class PendingCondition(NamedTuple):
    """A condition that was called for ``due`` at the monotonic instant ``since``."""

    due: Due
    since: float


class ConditionResult(NamedTuple):
    """Whether a condition is met, and how many seconds its answer took."""

    is_met: bool
    took: float


@dataclass(slots=True, eq=False)
class UserCode:
    """The calls that have not returned: for each event one of its condition, and one of its times.

    A call has ``timeout`` seconds by ``monotonic``. Every ``now`` is UTC seconds since 1970.
    """

    events: Sequence[Event]
    timetable: Timetable
    trouble: EventTrouble
    timeout: float
    monotonic: Callable[[], float]
    _threads: SideThreads = field(default_factory=SideThreads, init=False)
    _conditions: dict[int, PendingCondition] = field(default_factory=dict, init=False)
    _times: dict[int, float] = field(default_factory=dict, init=False)
    _ready: list[Ready] = field(default_factory=list, init=False)
    _waiting: deque[Due] = field(default_factory=deque, init=False)

    @property
    def wakeup(self) -> Wakeup:
        """Set when a call has returned."""
        return self._threads.wakeup

    def __bool__(self) -> bool:
        """Whether a call has not returned that is not late."""
        return bool(self._conditions or self._times)

    def without_condition(self, dues: Iterable[Due]) -> list[Ready]:
        """Those that have no condition to call, so are ready; the others wait for theirs."""
        ready = []
        for due in dues:
            if self.events[due.row].policy.condition is None or due.fire is None:
                ready.append(Ready(due))
            else:
                self._waiting.append(due)
        return ready

    def call_conditions(self, limit: int, now: float) -> bool:
        """Call the conditions of at most ``limit`` that wait; whether any did."""
        if not self._waiting:
            return False
        for _ in range(min(limit, len(self._waiting))):
            self._call_condition(self._waiting.popleft(), now)
        return True

    def take_waiting(self) -> list[Due]:
        """Take out what waits for its condition to be called."""
        dues = list(self._waiting)
        self._waiting.clear()
        return dues

    def start(self, calls: Iterable[UserCall]) -> None:
        """Start calls that the timetable waits for."""
        for call in calls:
            self._times[call.row] = self.monotonic()
            self._threads.start((call.row, "times"), call.function, self.events[call.row].name)

    def take_ready(self, limit: int, now: float) -> list[Ready]:
        """What has become ready, of at most ``limit`` events. Next times that were returned are
        entered in the timetable.
        """
        for answer in self._threads.answers(limit - len(self._ready)):
            row, what = cast("tuple[int, str]", answer.key)
            if what == "times":
                self._handle_times(row, answer, now)
            elif (pending := self._conditions.pop(row, None)) is not None:
                self._ready.append(self._answered(pending.due, answer, now))
        self._give_up_late_calls(now)
        ready, self._ready = self._ready, []
        return ready

    def next_timeout(self) -> float | None:
        """Seconds until a condition is late with its answer; None where none is called."""
        # All have the same time, so the one called first is late first.
        first = next(iter(self._conditions.values()), None)
        return None if first is None else max(first.since + self.timeout - self.monotonic(), 0.0)

    def log_unanswered(self) -> None:
        """Log which conditions have not answered, at the end of a clock."""
        reason = "its condition was still being asked; the next start decides"
        for row, (due, _) in islice(self._conditions.items(), NAMED):
            event, at = self.events[row], self.events[row].local(due.last)
            log.warning("abandoned", event=event.name, scheduled_at=at, reason=reason)

    def _call_condition(self, due: Due, now: float) -> None:
        event, key = self.events[due.row], (due.row, "condition")
        if event.policy.condition is None or due.fire is None:
            return
        if self._threads.is_running(key):
            # It hangs, in the one thread it gets.
            self._ready.append(self._failed(due, "its condition still has not answered", now))
            return
        at = event.condition_time(due.fire)
        self._conditions[due.row] = PendingCondition(due, self.monotonic())
        call = partial(_call, event.policy.condition, at, self.monotonic)
        self._threads.start(key, call, event.name)

    def _answered(self, due: Due, answer: Answer, now: float) -> Ready:
        if answer.error is not None:
            return self._failed(due, f"its condition raised {answer.error}", now)
        result = cast("ConditionResult", answer.value)
        if result.took > SLOW:
            self.trouble.log_slow(due.row, result.took, now)
        return Ready(due, Kind.FIRED if result.is_met else Kind.UNMET)

    def _handle_times(self, row: int, answer: Answer, now: float) -> None:
        self._times.pop(row, None)
        if answer.error is not None:
            self.trouble.log(row, "times", answer.error, now)
        elif isinstance(answer.value, Due):
            self._ready += self.without_condition([answer.value])
        else:
            self.timetable.enter(row, cast("int | None", answer.value))

    def _give_up_late_calls(self, now: float) -> None:
        while self._conditions and self.next_timeout() == 0:
            row, pending = next(iter(self._conditions.items()))
            del self._conditions[row]
            reason = f"its condition has not answered in {self.timeout:g} s"
            self._ready.append(self._failed(pending.due, reason, now))
        while self._times and self.monotonic() - next(iter(self._times.values())) >= self.timeout:
            row = next(iter(self._times))
            del self._times[row]
            reason = f"its times have not come in {self.timeout:g} s; it waits for them"
            self.trouble.log(row, "times", reason, now)

    def _failed(self, due: Due, reason: str, now: float) -> Ready:
        self.trouble.log(due.row, "condition", reason, now)
        return Ready(due, Kind.ERROR)


def _call(
    condition: Callable[[ConditionTime], object], at: ConditionTime, monotonic: Callable[[], float]
) -> ConditionResult:
    """Call a condition. Raises what it raises, and TypeError for an awaitable."""
    begin = monotonic()
    answer = condition(at)
    if inspect.iscoroutine(answer):
        answer.close()  # else Python warns of one that was never awaited
    if inspect.isawaitable(answer):
        raise TypeError(f"it returned {type(answer).__name__!r}, which is awaited, not an answer")
    return ConditionResult(bool(answer), monotonic() - begin)
