"""The ledger: what was decided, kept in Redis, and the claim that decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import ClusterCrossSlotError

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import ONE_SLOT, server_errors
from clock.decision import Kind
from clock.errors import ServerError
from clock.ledger.channel import Channel, ChannelCall
from clock.ledger.enrolment import SMALL, Enrolment, or_server_time
from clock.ledger.job import job_id
from clock.ledger.lower import Lowered, lower
from clock.ledger.pauses import Pause, parse_pauses
from clock.ledger.records import parse_records
from clock.ledger.serializers import meet_workers
from clock.ledger.time_source import TimeReading, TimeSource, read_time
from clock.schedule.event import Event

CLAIMED_BYTES = 1_048_576
"""Bytes of templates that one call of the claim script reads, or those of a single event."""

_KINDS = {kind.value.encode(): kind for kind in Kind}
_UNDECIDED = {
    b"?": "is_unknown",
    b"t": "is_future",
    b"q": "is_refused",
    b"j": "is_taken",
    b"g": "is_gone",
}


class Claim(NamedTuple):
    """One occurrence to be decided, ``scheduled`` in UTC seconds since 1970.

    ``kind`` is FIRED to fire it unless something prevents that, else the decision made already. A
    MISSED, TOO_LATE or OVER_CAP claim may stand for several ``occurrences``, from ``first`` on. One
    that fires is due ``delay`` seconds after its time.
    """

    event: Event
    scheduled: int
    kind: Kind = Kind.FIRED
    first: int | None = None
    occurrences: int = 1
    delay: int = 0


class ClaimResult(NamedTuple):
    """What became of a claim.

    ``kind`` is what was recorded. It is None, and nothing was written, where another clock was
    faster (``decided`` is the instant up to which it decided), where the queue takes no jobs
    (``is_refused``), where another job has the id (``is_taken``), where the ledger does not know
    the event (``is_unknown``), where it lies in the future (``is_future``), and where it is a
    row that its source no longer gives (``is_gone``).
    """

    claim: Claim
    kind: Kind | None
    decided: int
    is_refused: bool = False
    is_taken: bool = False
    is_unknown: bool = False
    is_future: bool = False
    is_gone: bool = False


class Settled(NamedTuple):
    """What became of claims that were sent together, decided at ``now`` (UTC seconds since 1970).

    ``outcomes`` is None where it was later than the latest time given: nothing was decided.
    """

    now: float
    outcomes: Sequence[ClaimResult] | None


Sent = Sequence[tuple[Sequence[Claim], ChannelCall]]
"""Claims that were sent and are not answered yet."""


class Ledger:
    """The ledger of one application, as one clock process uses it.

    ``token`` identifies the process, so that a claim that is repeated after a lost reply is
    recognised. ``has_sources`` says that the schedule has sources: their rows may be removed. Every
    method raises ServerError where the server is away or refuses; calling it again is always safe.
    """

    def __init__(
        self,
        connection: Redis,
        *,
        app: str,
        token: str,
        serializer: str = "pickle",
        has_sources: bool = False,
    ) -> None:
        self._connection = connection
        self.app = self._app = app
        self._token = token
        self._serializer = serializer
        self._channel = Channel(connection, "claim.lua")
        self._has_sources = has_sources
        self._enrolment = Enrolment(
            connection, app=app, serializer=serializer, has_sources=has_sources
        )

    def enrol(
        self, events: Sequence[Event], now: float | None = None, stands_at: float | None = None
    ) -> list[int]:
        """Make ``events`` and their jobs known; returns the last decided occurrence of each.

        An event seen for the first time, and one whose recurrence changed, stands at ``stands_at``,
        or where that is None or later, at ``now``. Without ``now`` the server's time is taken.
        Instants are UTC seconds since 1970.
        """
        return [decided for part in self.enrol_in_parts(events, now, stands_at) for decided in part]

    def enrol_in_parts(
        self,
        events: Sequence[Event],
        now: float | None = None,
        stands_at: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[list[int]]:
        """As ``enrol``, but some of the ``events`` at each step, as long as ``may_go_on()``."""
        return self._enrolment.in_parts(events, now, stands_at, may_go_on)

    def claim(self, claims: Sequence[Claim], now: float | None = None) -> list[ClaimResult]:
        """Decide ``claims`` in one round trip and enqueue the jobs of those that fire.

        Their order is the order of their jobs in the queues. ``now`` is UTC seconds since 1970;
        without it the server's time decides.
        """
        return list(self.receive(self.send(claims, now)).outcomes or ())

    def send(
        self, claims: Sequence[Claim], now: float | None = None, latest: float | None = None
    ) -> Sent:
        """Send ``claims`` to be decided as by ``claim``; ``receive`` returns what became of them.

        Nothing is decided after ``latest``, in UTC seconds since 1970. Those of events with large
        jobs go in several calls, so that none holds the server for long.
        """
        of = (keys.decided, keys.templates, keys.shapes, keys.pauses)
        named = [key(self._app) for key in of]
        named += [rq_keys.QUEUES, keys.ahead(self._app)]
        if self._has_sources:
            named.append(keys.removed_rows(self._app))
        head = [or_server_time(now), self._token, keys.TTL, "" if latest is None else latest]
        calls = []
        for part in self._split(claims):
            arguments: list[Any] = [*head]
            for alike, group in groupby(part, _likeness):
                names = [claim.event.name for claim in group]
                arguments += (*alike, len(names), *names)
            calls.append((part, self._channel.send(named, arguments)))
        return calls

    def _split(self, claims: Sequence[Claim]) -> Iterable[Sequence[Claim]]:
        """The claims of one call after the other, those of an event together."""
        large = self._enrolment.large
        if not large:
            return [claims]
        parts: list[list[Claim]] = []
        room = 0
        for name, group in groupby(claims, lambda claim: claim.event.name):
            size = large.get(name, SMALL)
            if size > room:
                parts.append([])
                room = CLAIMED_BYTES
            parts[-1] += group
            room -= size
        return parts

    def receive(self, sent: Sent) -> Settled:
        """What became of ``sent``, which must be the oldest claims without an answer."""
        decided_at, outcomes, are_decided = 0.0, list[ClaimResult](), False
        for claims, call in sent:
            now, *replies = self._channel.receive(call).split()
            # A claim after the latest time is as undecided as one in the future.
            results = [
                _outcome(claim, reply)
                for claim, reply in zip(claims, replies or [b"t"] * len(claims), strict=True)
            ]
            decided_at, are_decided = float(now), are_decided or bool(replies)
            outcomes += results
        return Settled(decided_at, outcomes if are_decided else None)

    def lower(self, events: Sequence[str], now: float | None = None) -> list[Lowered]:
        """Lower the records of ``events`` that lie more than ``WAITED_OUT`` seconds in the future,
        see ``clock.ledger.lower``. Without ``now`` the server's time is taken.
        """
        return lower(self._connection, self._app, events, now)

    def read_time(self, source: TimeSource) -> TimeReading:
        """The server's time, and a clock whose time source is not ``source``."""
        return read_time(self._connection, self._app, self._token, source)

    def hang_up(self) -> None:
        """Drop the claims without an answer; to claim them again is safe."""
        self._channel.close()

    def warnings(self) -> list[str]:
        """How the server could lose the ledger, one sentence each.

        Raises ServerError for a node of a cluster where the keys of a claim are not on one node.
        """
        try:
            with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
                for section in ("memory", "persistence", "cluster"):
                    pipeline.info(section)
                pipeline.config_get("save")
                *infos, saves = pipeline.execute(raise_on_error=False)
        except ServerError:
            return []
        if any(isinstance(info, Exception) for info in infos):
            # The ACL may deny these commands.
            return []
        values = {name: value for info in infos for name, value in info.items()}
        if values.get("cluster_enabled") and not self._is_on_one_slot():
            raise ServerError(ONE_SLOT, ClusterCrossSlotError.__name__, is_lasting=True)
        policy, saved = values.get("maxmemory_policy", "noeviction"), values.get("aof_enabled", 0)
        warnings = []
        if policy != "noeviction" and values.get("maxmemory", 0):
            warnings.append(
                f"it may evict keys when it is full (maxmemory-policy {policy}), jobs and what was "
                "decided among them; set noeviction"
            )
        # A platform that denies CONFIG does the saving itself.
        if not saved and not isinstance(saves, Exception) and not saves.get("save"):
            warnings.append("it keeps nothing on disk, so a restart of it forgets what was decided")
        return warnings

    def meet_workers(self, events: Iterable[Event]) -> list[str]:
        """Record the serializer for the queues of ``events``; warns of workers with another one."""
        return meet_workers(
            self._connection,
            app=self._app,
            serializer=self._serializer,
            queues=(event.job.queue for event in events),
        )

    def _is_on_one_slot(self) -> bool:
        ours, of_rq = keys.decided(self._app), rq_keys.QUEUES
        return key_slot(ours.encode()) == key_slot(of_rq.encode())

    def forget_removed(self, names: Collection[str], now: float) -> dict[str, Pause | None]:
        """Drop what the ledger holds of events not in ``names`` that were last decided long ago.

        Returns the names of those events, each with the pause that went with it. An application may
        run several schedule files, so what another of its clocks decided lately stays.
        """
        ours = keys.decided(self._app)
        with server_errors():
            self._forget_shapes(now)
            if self._connection.hlen(ours) <= len(names):
                return {}
            gone = [
                name
                for field, line in self._connection.hscan_iter(ours, count=1000)
                for name, record in parse_records(self._app, {field: line}, 1).items()
                if name not in names and record.decided < now - keys.FORGOTTEN_AFTER
            ]
            gone = self._not_in_force(gone)
            if not gone:
                return {}
            pauses = self._connection.hmget(keys.pauses(self._app), gone)
            with self._connection.pipeline() as pipeline:
                for key in keys.OF_EVENTS:
                    pipeline.hdel(key(self._app), *gone)
                pipeline.execute()
        paused = {name: line for name, line in zip(gone, pauses, strict=True) if line is not None}
        return dict.fromkeys(gone) | parse_pauses(self._app, paused)

    def _not_in_force(self, names: Sequence[str]) -> list[str]:
        """Those of ``names`` that are not rows of sources."""
        if not names or not self._has_sources:
            return list(names)
        lines = cast("Sequence[Any]", self._connection.hmget(keys.rows(self._app), list(names)))
        return [name for name, line in zip(names, lines, strict=True) if line is None]

    def _forget_shapes(self, now: float) -> None:
        shapes = keys.shapes(self._app)
        packed_shapes = cast("dict[bytes, bytes]", self._connection.hgetall(shapes))
        named = {digest: int(packed.split(b" ", 1)[0]) for digest, packed in packed_shapes.items()}
        gone = [digest for digest, when in named.items() if when < now - keys.FORGOTTEN_AFTER]
        if gone:
            self._connection.hdel(shapes, *gone)

    def job_id(self, claim: Claim) -> str:
        """The id of the job of a claim that fired."""
        return job_id(self._app, claim.event.name, claim.scheduled)


def _likeness(claim: Claim) -> tuple[str, int, int, int, int]:
    """What the claims of one group have in common."""
    first = claim.scheduled if claim.first is None else claim.first
    return claim.kind.value, first, claim.scheduled, claim.occurrences, claim.delay


def _outcome(claim: Claim, reply: bytes) -> ClaimResult:
    kind = _KINDS.get(reply)
    if kind is not None:
        return ClaimResult(claim, kind, claim.scheduled)
    if reply in _UNDECIDED:
        return ClaimResult(claim, None, claim.scheduled, **{_UNDECIDED[reply]: True})
    return ClaimResult(claim, None, int(reply[1:]))
