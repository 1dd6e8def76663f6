"""The ledger: what was decided, kept in Redis, and the claim that decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.utils import utcformat

from clock.decision import Kind
from clock.errors import LedgerError
from clock.ledger import keys
from clock.ledger.channel import Call, Channel
from clock.ledger.job import JobTemplate, JobTemplates, Shape, job_id, job_prefix
from clock.ledger.records import parse_records
from clock.ledger.script import server_errors
from clock.ledger.serializers import meet_workers
from clock.schedule.event import Event

ENROLLED_AT_ONCE = 500
"""Events in one call of the enrolment script; it holds the server for a few milliseconds."""

_KINDS = {kind.value.encode(): kind for kind in Kind}


class Claim(NamedTuple):
    """One occurrence to be decided, ``scheduled`` in UTC seconds since 1970.

    ``kind`` is FIRED to let it fire if nothing speaks against it, else the decision that was made
    already; a MISSED, TOO_LATE or OVER_CAP one may stand for so many ``occurrences`` from ``first``
    on.
    """

    event: Event
    scheduled: int
    kind: Kind = Kind.FIRED
    first: int | None = None
    occurrences: int = 1


class Outcome(NamedTuple):
    """What became of a claim.

    ``kind`` is what was recorded, or None where the claim was lost to another clock (``decided`` is
    then how far that one is), refused (``is_refused``: the queue's key holds something else) or
    made for an event that the ledger does not know (``is_unknown``); in these three nothing was
    written.
    """

    claim: Claim
    kind: Kind | None
    decided: int
    is_refused: bool = False
    is_unknown: bool = False


class Sent(NamedTuple):
    """Claims that were sent, and not answered yet."""

    claims: Sequence[Claim]
    call: Call


class Ledger:
    """The ledger of one application, as one clock process uses it.

    ``token`` names the process, so that a claim whose reply was lost is recognised when it is made
    again. Every method raises LedgerError where the server is away or refuses; calling it again is
    always safe.
    """

    def __init__(
        self, connection: Redis, *, app: str, token: str, serializer: str = "pickle"
    ) -> None:
        self._connection = connection
        self._app = app
        self._token = token
        self._serializer = serializer
        self._templates = JobTemplates(connection, serializer)
        self._channel = Channel(connection, "claim.lua")
        self._enrolment = Channel(connection, "enrol.lua")

    def enrol(self, events: Sequence[Event], stands_at: float) -> list[int]:
        """Make ``events`` and their jobs known; returns each one's last decided occurrence.

        An event seen for the first time, and one whose recurrence changed, stands at ``stands_at``.
        Instants are UTC seconds since 1970.
        """
        decided: list[int] = []
        calls: deque[Call] = deque()
        try:
            for start in range(0, len(events), ENROLLED_AT_ONCE):
                calls.append(self._enrol(events[start : start + ENROLLED_AT_ONCE], stands_at))
                if len(calls) > 1:
                    decided += map(int, self._enrolment.receive(calls.popleft()))
            for call in calls:
                decided += map(int, self._enrolment.receive(call))
        except BaseException:
            self._enrolment.close()
            raise
        return decided

    def _enrol(self, events: Sequence[Event], stands_at: float) -> Call:
        templates = [self._templates.of(event) for event in events]
        shapes = {template.shape.digest: template.shape for template in templates}
        arguments: list[Any] = [keys.TTL, int(stands_at), len(shapes)]
        for shape in shapes.values():
            arguments += _shape_arguments(shape)
        for event, template in zip(events, templates, strict=True):
            arguments += self._event_arguments(event, template)
        of = (keys.decided, keys.recurrences, keys.templates, keys.shapes)
        return self._enrolment.send([key(self._app) for key in of], arguments)

    def claim(self, claims: Sequence[Claim], now: float) -> list[Outcome]:
        """Decide ``claims`` in one round trip and enqueue the jobs of those that fire.

        Their order is the order of their jobs in the queues. ``now`` is UTC seconds since 1970.
        """
        return self.receive(self.send(claims, now))

    def send(self, claims: Sequence[Claim], now: float) -> Sent:
        """Send ``claims`` to be decided as ``claim`` does; ``receive`` says what became of them."""
        enqueued_at = utcformat(datetime.fromtimestamp(now, UTC))
        arguments: list[Any] = [self._token, keys.TTL, now, enqueued_at]
        for alike, group in groupby(claims, _likeness):
            names = [claim.event.name for claim in group]
            arguments += (*alike, len(names), *names)
        of = (keys.decided, keys.templates, keys.shapes, keys.pauses)
        named = [*(key(self._app) for key in of), Queue.redis_queues_keys]
        return Sent(claims, self._channel.send(named, arguments))

    def receive(self, sent: Sent) -> list[Outcome]:
        """What became of the claims sent first of those not answered yet."""
        replies = self._channel.receive(sent.call).split()
        return [_outcome(claim, reply) for claim, reply in zip(sent.claims, replies, strict=True)]

    def hang_up(self) -> None:
        """Give up what was sent and not answered; to claim it again is safe."""
        self._channel.close()

    def warnings(self) -> list[str]:
        """What about the server could lose the ledger, one sentence each."""
        try:
            with server_errors():
                found = self._connection.info("memory") | self._connection.info("persistence")
        except LedgerError:
            # Not every user of a server may ask; what cannot be known is not warned of.
            return []
        policy, saved = found.get("maxmemory_policy", "noeviction"), found.get("aof_enabled", 0)
        warnings = []
        if policy != "noeviction" and found.get("maxmemory", 0):
            warnings.append(
                f"it may evict keys when it is full (maxmemory-policy {policy}), jobs and what was "
                "decided among them; set noeviction"
            )
        if not saved and not self._saves_snapshots():
            warnings.append("it keeps nothing on disk, so a restart of it forgets what was decided")
        return warnings

    def meet_workers(self, events: Iterable[Event]) -> list[str]:
        """Leave the serializer with the queues of ``events``; what does not fit their workers, in
        one sentence.
        """
        return meet_workers(
            self._connection,
            app=self._app,
            serializer=self._serializer,
            queues=(event.job.queue for event in events),
        )

    def _saves_snapshots(self) -> bool:
        try:
            return bool(self._connection.config_get("save").get("save", ""))
        except RedisError:
            # Where a platform hides its configuration, it is the platform that saves.
            return True

    def forget_removed(self, names: Collection[str], now: float) -> int:
        """Drop what the ledger holds of events not in ``names`` that were last decided long ago.

        Returns how many went. An application may run several schedule files, so what another of
        its clocks decided lately stays.
        """
        ours = keys.decided(self._app)
        with server_errors():
            self._forget_shapes(now)
            if self._connection.hlen(ours) <= len(names):
                return 0
            gone = [
                name
                for field, line in self._connection.hscan_iter(ours, count=1000)
                for name, record in parse_records(self._app, {field: line}, 1).items()
                if name not in names and record.decided < now - keys.FORGOTTEN_AFTER
            ]
            if gone:
                with self._connection.pipeline() as pipeline:
                    for key in keys.OF_EVENTS:
                        pipeline.hdel(key(self._app), *gone)
                    pipeline.execute()
        return len(gone)

    def _forget_shapes(self, now: float) -> None:
        shapes = keys.shapes(self._app)
        found = cast("dict[bytes, bytes]", self._connection.hgetall(shapes))
        named = {digest: int(packed.split(b" ", 1)[0]) for digest, packed in found.items()}
        gone = [digest for digest, when in named.items() if when < now - keys.FORGOTTEN_AFTER]
        if gone:
            self._connection.hdel(shapes, *gone)

    def job_id(self, claim: Claim) -> str:
        """The id of the job of a claim that fired."""
        return job_id(self._app, claim.event.name, claim.scheduled)

    def _event_arguments(self, event: Event, template: JobTemplate) -> Iterable[Any]:
        return (
            event.name,
            event.identity(),
            template.shape.digest,
            job_prefix(self._app, event.name),
            template.data,
            template.description,
            template.first,
            template.later,
        )


def _shape_arguments(shape: Shape) -> Iterable[Any]:
    return (
        shape.digest,
        shape.queue_key,
        shape.side,
        "-" if shape.expires is None else shape.expires,
        shape.overlap,
        shape.stuck_after,
        shape.serializer,
        *shape.first,
        *shape.later,
        2 * len(shape.fields),
        *(each for field in shape.fields.items() for each in field),
    )


def _likeness(claim: Claim) -> tuple[str, int, int, int]:
    """What claims that are sent together have in common."""
    first = claim.scheduled if claim.first is None else claim.first
    return claim.kind.value, first, claim.scheduled, claim.occurrences


def _outcome(claim: Claim, reply: bytes) -> Outcome:
    kind = _KINDS.get(reply)
    if kind is not None:
        return Outcome(claim, kind, claim.scheduled)
    if reply == b"?":
        return Outcome(claim, None, claim.scheduled, is_unknown=True)
    if reply == b"q":
        return Outcome(claim, None, claim.scheduled, is_refused=True)
    return Outcome(claim, None, int(reply[1:]))
