"""Conditions (``if_=``) that misbehave, each in its own way; the others' events must not notice."""

from __future__ import annotations

import sys
import threading
from asyncio import CancelledError

from clock.schedule.condition_time import ConditionTime

SLOW = 0.15
"""Seconds that the slow one takes for its answer."""

PATIENCE = 1.0
"""Seconds the campaign's clocks wait for an answer: less than most of them live."""


class Speechless(Exception):
    """An error that cannot be put into words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Array:
    """An answer without a truth, as numpy's arrays are."""

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


def raises(_occurrence: ConditionTime) -> bool:
    """Raise an error."""
    raise RuntimeError("this condition never works")


def raises_now_and_then(occurrence: ConditionTime) -> bool:
    """Raise an error in one second of seven; else say yes to every second one."""
    if occurrence.scheduled_at.second % 7 == 0:
        raise RuntimeError("this condition works on six seconds of seven")
    return occurrence.scheduled_at.second % 2 == 0


def raises_speechlessly(_occurrence: ConditionTime) -> bool:
    """Raise an error whose own ``__str__`` raises."""
    raise Speechless


def has_no_truth(_occurrence: ConditionTime) -> Array:
    """Answer with something that is neither true nor false."""
    return Array()


def exits(_occurrence: ConditionTime) -> bool:
    """Try to end the process, with exit code 0."""
    sys.exit()


def cancels(_occurrence: ConditionTime) -> bool:
    """Raise what ends a task of asyncio."""
    raise CancelledError


def interrupts(_occurrence: ConditionTime) -> bool:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


def hangs(_occurrence: ConditionTime) -> bool:
    """Never answer."""
    threading.Event().wait()
    return True


def hangs_now_and_then(occurrence: ConditionTime) -> bool:
    """Never answer in one second of thirty, which costs its event the rest of the clock's life."""
    return occurrence.scheduled_at.second % 30 != 0 or hangs(occurrence)


def is_slow(_occurrence: ConditionTime) -> bool:
    """Say yes, slowly."""
    # Not time.sleep, which fails where libfaketime sets the wall clock.
    threading.Event().wait(SLOW)
    return True


NEVER_ANSWER = (
    raises,
    raises_speechlessly,
    has_no_truth,
    exits,
    cancels,
    interrupts,
    hangs,
)
"""Whose events never fire: each occurrence is an error."""

ANSWER = (raises_now_and_then, hangs_now_and_then, is_slow)
"""Whose events fire, now and then or always."""
