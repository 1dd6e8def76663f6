"""Running an event by hand: its job, now, beside the schedule."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from redis import Redis
from rq.serializers import resolve_serializer
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import JobIdTakenError, NotAQueueError, NotEnrolledError
from clock.instant import utc_text
from clock.ledger.records import find_record
from clock.ledger.reserved import manual_id, meta_mark
from clock.ledger.unscheduled_job import build_job


def run_now(connection: Redis, app: str, event: str, now: float, key: str | None = None) -> str:
    """Enqueue the job of ``event`` at ``now`` (UTC seconds since 1970); returns the job's id.

    Asked again with the same ``key`` (letters, digits, ``_`` and ``-``), nothing is done as long as
    RQ keeps the job. Raises ValueError for a key of the form of the clock's own job ids.

    The job's ``meta["clock"]`` says ``manual``, and the event's history notes it; what is scheduled
    stays as it is. Raises UnknownEventError, ServerError, and of ConflictError NotEnrolledError,
    NotAQueueError, and JobIdTakenError where another job has the id.
    """
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    identifier = manual_id(app, event, key or f"{stamp}-{secrets.token_hex(3)}")
    record = find_record(connection, app, event)
    with server_errors():
        template = connection.register_script(script("clock.ledger", "template.lua"))(
            keys=[keys.templates(app), keys.shapes(app)], args=[event]
        )
    if template is None:
        raise NotEnrolledError(f"the job of {event!r} is not in the ledger; start its clock once")
    queue, side, expires, _, serializer, _, later, flat = template
    packer = resolve_serializer(serializer.decode())
    job = build_job(
        identifier,
        event,
        queue=queue,
        side=side,
        expires=None if expires == b"-" else int(expires),
        serializer=serializer.decode(),
        template={as_text(name): value for name, value in zip(flat[::2], flat[1::2], strict=True)},
        meta=packer.loads(_scheduled(later)),
        scheduled=int(now),
        previous=None if record is None else record.fired,
        now=now,
        mark="manual",
    )
    beginning, _, _ = job.fields["meta"].partition(utc_text(int(now)).encode())
    with server_errors():
        pushed = connection.register_script(script("clock.ledger", "run.lua", include="push.lua"))(
            keys=[keys.decided(app), rq_keys.QUEUES],
            args=[*job.head(meta_mark(beginning)), event, int(now), *job.flat()],
        )
    if pushed == 0:
        raise NotAQueueError(f"the key {queue.decode()} holds no queue")
    if pushed < 0:
        raise JobIdTakenError(f"{event!r} was not run: another job has the id {identifier!r}")
    return identifier


def _scheduled(parts: list[bytes]) -> bytes:
    """The meta of a later occurrence, with texts of the right length where its instants go."""
    scheduled, previous = b"0001-01-01T00:00:00Z", b"0001-01-01T00:00:00Z"
    enqueued = b"0001-01-01T00:00:00.000000Z"
    return parts[0] + scheduled + parts[1] + previous + parts[2] + enqueued + parts[3]
