"""Jitter: each occurrence fires a little later than its time, by a delay of its own.

The occurrence keeps its time, which is what it is known by; only when it is due moves. The delay is
made from the application, the event and the time, so that every clock computes the same one. It is
always shorter than the time to the next occurrence: their order never changes.
"""

from __future__ import annotations

import hashlib
from itertools import islice, pairwise

from clock.errors import RecurrenceError
from clock.recurrence.days import ANCHOR
from clock.recurrence.elapsed import spell_seconds
from clock.recurrence.recurrence import Recurrence, before, between
from clock.recurrence.wall import DAY

LOOKED_AT = 2_000
"""Occurrences among which the shortest gap is looked for."""

DAYS_LOOKED_AT = 800


class Jittered:
    """A recurrence by when its occurrences are due. Instants are UTC seconds since 1970.

    ``seconds`` is the longest delay, not included; ``key`` says whose delays they are.
    """

    def __init__(self, inner: Recurrence, seconds: int, key: str) -> None:
        self.inner, self.seconds, self.key = inner, seconds, key

    def delay(self, instant: int) -> int:
        """How many seconds later the occurrence at ``instant`` is due."""
        digest = hashlib.blake2b(f"{self.key}\n{instant}".encode(), digest_size=8).digest()
        delay = int.from_bytes(digest, "big") % self.seconds
        following = self.inner.next(instant)
        return delay if following is None else min(delay, following - instant - 1)

    def next(self, after: int) -> int | None:
        """When the first occurrence that is due later than ``after`` is due."""
        instant = self.inner.next(after - self.seconds)
        while instant is not None:
            due = instant + self.delay(instant)
            if due > after:
                return due
            instant = self.inner.next(instant)
        return None

    def is_moved(self, instant: int) -> bool:
        """Whether what is due at ``instant`` stands for a local time that was skipped."""
        return self.inner.is_moved(self.scheduled(instant))

    def scheduled(self, due: int) -> int:
        """The time of the occurrence that is due at ``due``."""
        instant = before(self.inner, due + 1)
        return due if instant is None else instant

    def following(self, decided: int) -> int | None:
        """When the first occurrence later than ``decided`` is due."""
        instant = self.inner.next(decided)
        return None if instant is None else instant + self.delay(instant)


def jittered(recurrence: Recurrence, seconds: int, event: str, app: str) -> Jittered | None:
    """The recurrence of ``event`` by when it is due; None where ``seconds`` is 0."""
    return Jittered(recurrence, seconds, f"{app}\n{event}") if seconds else None


def check_jitter(recurrence: Recurrence, seconds: int) -> None:
    """Raises RecurrenceError where ``seconds`` is not shorter than the shortest time between two
    occurrences, as far as they are looked at.
    """
    first = recurrence.next(ANCHOR * DAY)
    if first is None:
        return
    until = first + DAYS_LOOKED_AT * DAY
    occurrences = islice(between(recurrence, first - 1, until), LOOKED_AT)
    shortest = min((later - earlier for earlier, later in pairwise(occurrences)), default=None)
    if shortest is not None and seconds >= shortest:
        raise RecurrenceError(
            f"jitter=: {spell_seconds(seconds)} is not shorter than the shortest time between two "
            f"occurrences, {spell_seconds(shortest)}"
        )
