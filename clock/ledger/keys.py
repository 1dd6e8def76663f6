"""Every key the clock writes, but for RQ's own: its type, what it holds, and why it does not grow
for ever.

=========================  ====  ==========================================
========================= key                        type  content
bound =========================  ====  ==========================================
========================= clock:<app>:decided        hash  event -> "decided fired clock" (see
below)  one field an event; TTL clock:<app>:recurrences    hash  event -> the recurrence it was
decided for  one field an event; TTL =========================  ====
==========================================  =========================

``decided`` is the scheduled instant of the last occurrence that was decided, whatever became of it;
``fired`` that of the last one that was enqueued, or ``-``; ``clock`` the token of the process that
decided. Instants are UTC seconds since 1970. The TTL is renewed by every start and every claim, so
it ends only the ledger of an application whose clock has not run for that long.
"""

from __future__ import annotations

TTL = 400 * 86_400
"""Seconds a ledger outlives the last claim of its application: long enough for a yearly event."""


def decided(app: str) -> str:
    """The hash of the last decided occurrence of each event."""
    return f"clock:{app}:decided"


def recurrences(app: str) -> str:
    """The hash of the recurrence each event had when it was last enrolled."""
    return f"clock:{app}:recurrences"
