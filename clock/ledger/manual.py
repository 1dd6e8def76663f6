"""Running an event by hand: its job is enqueued now, and its schedule stays as it is."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from redis import Redis
from rq.serializers import resolve_serializer

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import TAKES_NO_JOBS, JobIdTakenError, NotAQueueError, NotEnrolledError
from clock.ledger.job import cut_meta, join_meta
from clock.ledger.records import find_record
from clock.ledger.reserved import manual_id


def run_now(connection: Redis, app: str, event: str, now: float, key: str | None = None) -> str:
    """Enqueue the job of ``event`` at ``now`` (UTC seconds since 1970); returns the job's id.

    A second call with the same ``key`` (letters, digits, ``_`` and ``-``) does nothing as long as
    RQ keeps the job. Raises ValueError for a key of the form of the clock's own job ids.

    The job's ``meta["clock"]`` says ``manual``, and the run is in the event's history. Raises
    UnknownEventError, ServerError, and of ConflictError NotEnrolledError, NotAQueueError, and
    JobIdTakenError where another job has the id.
    """
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    identifier = manual_id(app, event, key or f"{stamp}-{secrets.token_hex(3)}")
    record = find_record(connection, app, event)
    with server_errors():
        stored = connection.register_script(script("clock.ledger", "template.lua"))(
            keys=[keys.templates(app), keys.shapes(app)], args=[event]
        )
    if stored is None:
        raise NotEnrolledError(f"the job of {event!r} is not in the ledger; start its clock once")
    template, shape, queue, name, *later = stored
    serializer = resolve_serializer(name.decode())
    meta = serializer.loads(join_meta(later))
    marked = [
        part
        for is_first in (True, False)
        for part in cut_meta(serializer.dumps, meta, event, is_first=is_first, mark="manual")
    ]
    fired = None if record is None else record.fired
    with server_errors():
        pushed = connection.register_script(script("clock.ledger", "run.lua", include="job.lua"))(
            keys=[keys.decided(app), rq_keys.QUEUES],
            args=[
                *(now, event, identifier, "-" if fired is None else fired),
                *(template, shape, *marked),
                *(keys.manual(app, event), keys.MANUAL_KEPT, keys.RUNS_TTL),
            ],
        )
    if pushed == 0:
        raise NotAQueueError(f"the key {queue.decode()} {TAKES_NO_JOBS}")
    if pushed < 0:
        raise JobIdTakenError(f"{event!r} was not run: another job has the id {identifier!r}")
    return identifier
