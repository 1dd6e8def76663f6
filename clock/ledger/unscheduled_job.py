"""A job of an event that is pushed outside of a claim: by hand, or as a backfill.

A claim builds its jobs on the server, from the event's template. This one has a mark of its own in
``meta["clock"]``, which only the serializer can write, so it is built here from the same template.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rq.serializers import resolve_serializer
from rq.utils import utcformat

from clock import keys
from clock.instant import utc_text
from clock.ledger.job import occurrence_meta


@dataclass(frozen=True, slots=True, kw_only=True)
class UnscheduledJob:
    """The job ``id`` with its hash; ``queue`` is a key, ``side`` the command that pushes it.

    ``deadline`` is when it expires in milliseconds since 1970, or ``"-"``.
    """

    id: str
    queue: bytes | str
    side: bytes | str
    deadline: int | str
    fields: Mapping[Any, Any]

    def head(self, mark: str | bytes) -> list[Any]:
        """The first arguments of the scripts that push it; ``mark`` is in the meta of our jobs."""
        return [self.id, self.queue, self.side, self.deadline, mark]

    def flat(self) -> list[Any]:
        """Their last arguments: field, value, ..."""
        return [part for pair in self.fields.items() for part in pair]


def build_job(
    identifier: str,
    event: str,
    *,
    queue: bytes | str,
    side: bytes | str,
    expires: int | None,
    serializer: str,
    template: Mapping[Any, Any],
    meta: Mapping[str, Any],
    scheduled: int,
    previous: int | None,
    now: float,
    mark: str,
) -> UnscheduledJob:
    """The job of ``event`` for the instant ``scheduled``, enqueued at ``now``, both in UTC seconds.

    ``template`` are the fields that all jobs of the event share, ``meta`` what theirs says besides
    the occurrence; ``expires`` counts in seconds from ``now``. ``mark`` is set in
    ``meta["clock"]``.
    """
    enqueued = utcformat(datetime.fromtimestamp(now, UTC))
    occurrence = occurrence_meta(
        event,
        scheduled=utc_text(scheduled),
        previous=None if previous is None else utc_text(previous),
        enqueued=enqueued,
    )
    fields = {
        **template,
        "created_at": enqueued,
        "enqueued_at": enqueued,
        "meta": resolve_serializer(serializer).dumps(
            {**meta, keys.OCCURRENCE_META: occurrence | {mark: True}}
        ),
    }
    deadline: int | str = "-"
    if expires is not None:
        fields["ttl"], deadline = expires, math.ceil((now + expires) * 1000)
    return UnscheduledJob(id=identifier, queue=queue, side=side, deadline=deadline, fields=fields)
