"""Running an event by hand: its job is enqueued now, and its schedule stays as it is."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime

from redis import Redis

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import (
    TAKES_NO_JOBS,
    JobIdTakenError,
    NotAQueueError,
    RequestChangedError,
)
from clock.ledger.kept_template import Call, marked, read_template, with_call
from clock.ledger.records import find_record
from clock.ledger.reserved import manual_id
from clock.ledger.trends import enqueued_words, with_trends


def run_now(
    connection: Redis,
    app: str,
    event: str,
    now: float,
    key: str | None = None,
    call: Call | None = None,
) -> str:
    """Enqueue the job of ``event`` at ``now`` (UTC seconds since 1970); returns the job's id.

    With a ``call`` the job has its arguments; everything else of it is the event's. A second call
    with the same ``key`` (letters, digits, ``_`` and ``-``) does nothing as long as RQ keeps the
    job. Raises ValueError for a key of the form of the clock's own job ids.

    The job's ``meta["clock"]`` says ``manual``, and the run is in the event's history. Raises
    UnknownEventError, ServerError, and of ConflictError NotEnrolledError, NotAQueueError,
    JobIdTakenError where another job has the id, and RequestChangedError where the ``key`` came
    with other arguments before.
    """
    stamp = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    identifier = manual_id(app, event, key or f"{stamp}-{secrets.token_hex(3)}")
    record = find_record(connection, app, event)
    template = marked(read_template(connection, app, event), event, "manual")
    if call is not None:
        template = with_call(connection, template, call)
    fired = None if record is None else record.fired
    with server_errors():
        pushed = connection.register_script(
            with_trends(script("clock.ledger", "run.lua", include="job.lua"))
        )(
            keys=[keys.decided(app), rq_keys.QUEUES],
            args=[
                *(now, event, identifier, "-" if fired is None else fired),
                *(keys.manual(app, event), keys.MANUAL_KEPT, keys.RUNS_TTL),
                "" if key is None or call is None else _request(key, call),
                *template.parts(),
                *template.shape.arguments(),
                *enqueued_words(app, template.shape.queue, event, now),
            ],
        )
    if pushed == 0:
        raise NotAQueueError(f"the key {template.shape.queue_key} {TAKES_NO_JOBS}")
    if pushed == -1:
        raise JobIdTakenError(f"{event!r} was not run: another job has the id {identifier!r}")
    if pushed == -2:
        raise RequestChangedError(f"{key!r} was used for a run with other arguments")
    return identifier


def _request(key: str, call: Call) -> str:
    """The key and what tells this request from another with it."""
    arguments = json.dumps([call.args, call.kwargs], sort_keys=True, default=repr)
    return f"{key} {hashlib.blake2b(arguments.encode(), digest_size=16).hexdigest()}"
