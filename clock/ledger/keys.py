"""Every key the clock writes, but for RQ's own: its type, what it holds, and why it is bounded.

============================  ====  ================================================  ============
key                           type  content                                           bound
============================  ====  ================================================  ============
clock:<app>:decided           hash  event -> its record, see ``clock.ledger.record``  one an event
clock:<app>:recurrences       hash  event -> the recurrence it was enrolled with      one an event
clock:<app>:templates         hash  event -> what its jobs have to themselves         one an event
clock:<app>:shapes            hash  digest -> what the jobs of many events share      see below
clock:<app>:pauses            hash  event -> until when it is paused, by whom, why    one an event
clock:<app>:pauses:ended      list  pauses that ended before their end, latest first    ENDED_PAUSES
clock:<app>:clocks            hash  token of a clock -> its life                      LIVES
clock:<app>:events            hash  event -> since when, and its description          one an event
clock:<app>:instants          hash  event -> its coming instants, if it has no rule   one an event
clock:<app>:backfilled:EVENT  zset  an occurrence -> when it was backfilled           BACKFILLED
============================  ====  ================================================  ============

A record is at most about a kilobyte. Each hash expires ``TTL`` after the last start or claim of its
application, and a field whose event is in no schedule any more goes at the first start that is
``FORGOTTEN_AFTER`` later than its last decision. A set of backfilled occurrences expires ``TTL``
after the last of them was backfilled. A shape is there for each set of options that a schedule
gives its jobs, a few dozen at most, and is dropped at the first start that is ``FORGOTTEN_AFTER``
later than the last one of a clock that named it.
"""

from __future__ import annotations

TTL = 400 * 86_400
"""Seconds a ledger outlives the last claim of its application: long enough for a yearly event."""

FORGOTTEN_AFTER = TTL
"""Seconds after which a removed event's record is dropped."""

BACKFILLED = 10_000
"""Occurrences in a set of backfilled ones, the latest backfilled; one command asks for no more."""


ENDED_PAUSES = 1000
"""Pauses that were ended or replaced by hand, the latest, so that one can tell later who did it."""

LIVES = 200
"""Lives of clocks that are kept, the latest: some weeks of restarts and deploys."""


def decided(app: str) -> str:
    """The hash of what was decided last for each event, its counters and its history."""
    return f"clock:{app}:decided"


def recurrences(app: str) -> str:
    """The hash of the recurrence each event had when it was last enrolled."""
    return f"clock:{app}:recurrences"


def templates(app: str) -> str:
    """The hash of what each event's jobs have to themselves, packed for the claim script."""
    return f"clock:{app}:templates"


def shapes(app: str) -> str:
    """The hash of what the jobs of many events share, packed for the claim script."""
    return f"clock:{app}:shapes"


def pauses(app: str) -> str:
    """The hash of the events that are paused."""
    return f"clock:{app}:pauses"


def ended_pauses(app: str) -> str:
    """The list of the pauses that are no more."""
    return f"clock:{app}:pauses:ended"


def backfilled(app: str, event: str) -> str:
    """The sorted set of the occurrences of an event that were backfilled."""
    return f"clock:{app}:backfilled:{event}"


def clocks(app: str) -> str:
    """The hash of the clock processes there are and were."""
    return f"clock:{app}:clocks"


def descriptions(app: str) -> str:
    """The hash of what a schedule file says of each event."""
    return f"clock:{app}:events"


def instants(app: str) -> str:
    """The hash of the coming instants of events whose recurrence cannot be written down."""
    return f"clock:{app}:instants"


OF_EVENTS = (recurrences, templates, descriptions, instants, pauses, decided)
"""The hashes with a field for each event."""
