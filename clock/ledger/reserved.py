"""Job ids that only the clock gives: those of occurrences, and of events that are run by hand.

An occurrence's id, its backfilled job's too, is ``<event>-<10 hex digits>-<instant>``, that of a
run by hand ``<event>-<10 hex digits>-manual-<key>`` (see ``clock.ledger.job.job_prefix``). A caller
may choose every id that does not have one of these forms, so no chosen id is ever one of ours.
"""

from __future__ import annotations

import re

from clock.ledger.job import job_prefix

_RESERVED = re.compile(r"-[0-9a-f]{10}-(?:manual-|[0-9]{8}T[0-9]{6}Z\Z)")


def is_reserved(identifier: str) -> bool:
    """Whether ``identifier`` has the form of a job id that the clock gives."""
    return _RESERVED.search(identifier) is not None


def manual_id(app: str, event: str, key: str) -> str:
    """The id of the job of ``event`` that is run by hand; ``key`` tells one such run from others.

    Raises ValueError for a ``key`` with which it could be the job id of another event.
    """
    if is_reserved(f"-{key}"):
        raise ValueError(f"{key!r} is not a valid key: it has the form of the clock's own job ids")
    return f"{job_prefix(app, event)}manual-{key}"
