"""Conditions asked once, before a clock does."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator

from clock.errors import describe_error
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule

PATIENCE = 10.0
"""Seconds that a condition has, as in a clock."""


def failing_conditions(schedule: Schedule, now: int) -> Iterator[tuple[Event, str]]:
    """Ask the condition of each enabled event about its next occurrence after ``now`` (UTC
    seconds); yields the events whose condition did not answer, and why.
    """
    for event in schedule.events.values():
        condition, instant = event.policy.condition, event.recurrence.next(now)
        if condition is None or instant is None or not event.enabled:
            continue
        failure = _ask(event, instant)
        if failure is not None:
            yield event, failure


def _ask(event: Event, instant: int) -> str | None:
    failures: list[str | None] = []

    def ask() -> None:
        try:
            assert event.policy.condition is not None
            answer = event.policy.condition(event.condition_time(instant))
            if inspect.isawaitable(answer):
                failures.append(f"it returned {type(answer).__name__!r}, which is awaited")
                return
            bool(answer)
            failures.append(None)
        except BaseException as error:  # user code, SystemExit too
            failures.append(f"it raised {describe_error(error)}")

    # One that hangs must not keep the command from its end.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return failures[0] if failures else f"it has not answered in {PATIENCE:g} s"
