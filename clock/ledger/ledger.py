"""The ledger: what was decided, kept in Redis, and the claim that decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.utils import utcformat

from clock.decision import Kind
from clock.errors import LedgerError
from clock.ledger import keys
from clock.ledger.job import job_id, job_prefix, job_template
from clock.ledger.record import parse_record
from clock.ledger.script import script, server_errors
from clock.ledger.serializers import meet_workers
from clock.schedule.event import Event

ENROLLED_AT_ONCE = 100
"""Events in one call of the enrolment script; it holds the server for a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One occurrence to be decided, ``scheduled`` in UTC seconds since 1970.

    ``kind`` is FIRED to let it fire if nothing speaks against it, else the decision that was made
    already; a MISSED, TOO_LATE or OVER_CAP one may stand for ``count`` occurrences from ``first``
    on.
    """

    event: Event
    scheduled: int
    kind: Kind = Kind.FIRED
    first: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
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
        self._claim = connection.register_script(script("claim.lua"))
        self._enrol = connection.register_script(script("enrol.lua"))

    def enrol(self, events: Sequence[Event], stands_at: float) -> list[int]:
        """Make ``events`` and their jobs known; returns each one's last decided occurrence.

        An event seen for the first time, and one whose recurrence changed, stands at ``stands_at``.
        Instants are UTC seconds since 1970.
        """
        decided: list[int] = []
        names = (keys.decided(self._app), keys.recurrences(self._app), keys.templates(self._app))
        for start in range(0, len(events), ENROLLED_AT_ONCE):
            arguments: list[Any] = [keys.TTL]
            for event in events[start : start + ENROLLED_AT_ONCE]:
                arguments += (event.name, int(stands_at), event.identity(), *self._template(event))
            with server_errors():
                decided += map(int, self._enrol(keys=names, args=arguments))
        return decided

    def claim(self, claims: Sequence[Claim], now: float) -> list[Outcome]:
        """Decide ``claims`` in one round trip and enqueue the jobs of those that fire.

        Their order is the order of their jobs in the queues. ``now`` is UTC seconds since 1970.
        """
        enqueued_at = utcformat(datetime.fromtimestamp(now, UTC))
        arguments: list[Any] = [self._token, keys.TTL, now, enqueued_at]
        for claim in claims:
            first = claim.scheduled if claim.first is None else claim.first
            arguments += (claim.event.name, claim.kind.value, first, claim.scheduled, claim.count)
        names = (
            keys.decided(self._app),
            keys.templates(self._app),
            keys.pauses(self._app),
            Queue.redis_queues_keys,
        )
        with server_errors():
            replies = self._claim(keys=names, args=arguments)
        return [_outcome(claim, reply) for claim, reply in zip(claims, replies, strict=True)]

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
            if self._connection.hlen(ours) <= len(names):
                return 0
            gone = [
                name
                for name, line in self._connection.hscan_iter(ours, count=1000)
                if name.decode() not in names
                and parse_record(line).decided < now - keys.FORGOTTEN_AFTER
            ]
            if gone:
                with self._connection.pipeline() as pipeline:
                    for key in (keys.recurrences, keys.templates, keys.pauses, keys.decided):
                        pipeline.hdel(key(self._app), *gone)
                    pipeline.execute()
        return len(gone)

    def job_id(self, claim: Claim) -> str:
        """The id of the job of a claim that fired."""
        return job_id(self._app, claim.event.name, claim.scheduled)

    def _template(self, event: Event) -> Iterable[Any]:
        template = job_template(event, serializer=self._serializer, connection=self._connection)
        return (
            template.queue_key,
            "LPUSH" if event.job.at_front else "RPUSH",
            "-" if event.job.expires is None else event.job.expires,
            event.policy.overlap,
            event.policy.stuck_after,
            job_prefix(self._app, event.name),
            self._serializer,
            *template.first,
            *template.later,
            2 * len(template.fields),
            *(each for field in template.fields.items() for each in field),
        )


def _outcome(claim: Claim, reply: bytes) -> Outcome:
    if reply == b"?":
        return Outcome(claim, None, claim.scheduled, is_unknown=True)
    if reply == b"q":
        return Outcome(claim, None, claim.scheduled, is_refused=True)
    if reply.startswith(b"d"):
        return Outcome(claim, None, int(reply[1:]))
    return Outcome(claim, Kind(reply.decode()), claim.scheduled)
