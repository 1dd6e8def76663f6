"""The self-check: which occurrence should have been decided by now, and is not.

It compares the ledger with the recurrence, without asking a clock, so it notices a clock that is
alive and enqueues nothing too.
"""

from __future__ import annotations

from clock.ledger.pauses import Pause
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.zone import END


def following(recurrence: Recurrence, decided: int) -> int | None:
    """The oldest occurrence that is not decided; None where there is none, or none is known."""
    try:
        instant = recurrence.next(decided)
        return instant if instant is None or decided < instant < END else None
    except Exception:  # a stream of times is the user's code; its clock reports its errors
        return None


def due_since(
    pending: int, pause: Pause | None, there_since: float, delay: int = 0
) -> float | None:
    """Since when the occurrence ``pending`` could have been decided, in UTC seconds since 1970. It
    is due ``delay`` seconds after its time.

    A clock has been working since ``there_since``, so nothing could be decided before. None where
    the event is paused at that occurrence.
    """
    if pause is not None and (pause.until is None or pause.until > pending):
        return None
    return max(pending + delay, there_since)
