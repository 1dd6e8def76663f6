"""Running an event by hand: its job, now, beside the schedule."""

from __future__ import annotations

import math
import secrets
from datetime import UTC, datetime

from redis import Redis
from rq.serializers import resolve_serializer
from rq.utils import utcformat

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import JobIdTakenError, NotAQueueError, NotEnrolledError
from clock.instant import utc_text
from clock.ledger.job import occurrence_meta
from clock.ledger.records import find_record
from clock.ledger.reserved import manual_id, meta_mark


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
        found = connection.register_script(script("clock.ledger", "template.lua"))(
            keys=[keys.templates(app), keys.shapes(app)], args=[event]
        )
    if found is None:
        raise NotEnrolledError(f"the job of {event!r} is not in the ledger; start its clock once")
    queue, side, expires, _, serializer, _, later, flat = found

    packer = resolve_serializer(serializer.decode())
    meta = packer.loads(_scheduled(later))
    meta["clock"] = occurrence_meta(
        event,
        scheduled=utc_text(int(now)),
        previous=None if record is None or record.fired is None else utc_text(record.fired),
        enqueued=utcformat(datetime.fromtimestamp(now, UTC)),
    ) | {"manual": True}
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    fields |= dict.fromkeys((b"created_at", b"enqueued_at"), meta["clock"]["enqueued_at"])
    fields[b"meta"] = packer.dumps(meta)
    deadline: str | int = "-"
    if expires != b"-":
        fields[b"ttl"], deadline = int(expires), math.ceil((now + int(expires)) * 1000)

    said, _, _ = fields[b"meta"].partition(meta["clock"]["scheduled_at"].encode())
    arguments = [event, int(now), identifier, queue, side, deadline, meta_mark(said)]
    arguments += [each for field in fields.items() for each in field]
    with server_errors():
        pushed = connection.register_script(script("clock.ledger", "run.lua"))(
            keys=[keys.decided(app), rq_keys.QUEUES], args=arguments
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
