"""The ledger: what was decided, kept in Redis, and the claim that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from clock.errors import LedgerError
from clock.ledger import keys
from clock.ledger.job import JobTemplate, job_id, job_key
from clock.schedule.event import Event

ENROLLED_AT_ONCE = 1000
"""Events in one call of the enrolment script; it holds the server for a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where an event stands: its last decided and its last fired occurrence, UTC seconds since
    1970.
    """

    decided: int
    fired: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One occurrence to be decided: ``scheduled`` and ``previous`` (the one fired before) in UTC
    seconds.
    """

    event: Event
    scheduled: int
    previous: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claim, and where its event stands now.

    ``"enqueued"``: by this clock; ``"expired"``: recorded, but too late to be enqueued;
    ``"decided"``: by another clock, nothing to do; ``"refused"``: the queue's key holds something
    else, nothing was written.
    """

    claim: Claim
    state: Literal["enqueued", "expired", "decided", "refused"]
    record: Record
    job_id: str


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
        self._claim = connection.register_script(_script("claim.lua"))
        self._enrol = connection.register_script(_script("enrol.lua"))
        self._templates: dict[str, JobTemplate] = {}

    def enrol(self, events: Sequence[Event], now: float) -> list[Record]:
        """Make ``events`` known and say where each stands.

        An event seen for the first time, and one whose recurrence changed, stands at ``now``.
        """
        records: list[Record] = []
        for start in range(0, len(events), ENROLLED_AT_ONCE):
            arguments: list[Any] = [int(now), keys.TTL]
            for event in events[start : start + ENROLLED_AT_ONCE]:
                arguments += (event.name, event.identity())
            with _server_errors():
                replies = self._enrol(
                    keys=[keys.decided(self._app), keys.recurrences(self._app)], args=arguments
                )
            records += (_record(decided, fired) for decided, fired in replies)
        return records

    def claim(self, claims: Sequence[Claim], now: float) -> list[Outcome]:
        """Decide ``claims`` in one round trip and enqueue the jobs of those that are won.

        Their order is the order of their jobs in the queues. A claim made with a ``previous`` that
        another clock has overtaken meanwhile is made again with the right one.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = dict(enumerate(claims))
        while waiting:
            replies = self._decide(list(waiting.values()), now)
            stale: dict[int, Claim] = {}
            for (position, claim), (verdict, decided, fired) in zip(
                waiting.items(), replies, strict=True
            ):
                if verdict == b"stale":
                    stale[position] = replace(claim, previous=None if fired == b"-" else int(fired))
                else:
                    outcomes[position] = self._outcome(claim, verdict, decided, fired, now)
            waiting = stale
        return [outcomes[position] for position in range(len(claims))]

    def _decide(self, claims: Sequence[Claim], now: float) -> list[Any]:
        arguments: list[Any] = [self._token, keys.TTL]
        for claim in claims:
            arguments += self._arguments(claim, now)
        with _server_errors():
            replies: list[Any] = self._claim(
                keys=[keys.decided(self._app), Queue.redis_queues_keys], args=arguments
            )
        return replies

    def _arguments(self, claim: Claim, now: float) -> list[Any]:
        event, scheduled = claim.event, claim.scheduled
        previous = "-" if claim.previous is None else claim.previous
        if is_expired(claim, now):
            return [event.name, scheduled, previous, "-", "-", "-", "-", "-", 0]
        template = self._template(event)
        identifier = job_id(self._app, event.name, scheduled)
        fields = template.fields(scheduled, claim.previous, now)
        expires = event.job.expires
        arguments: list[Any] = [
            event.name,
            scheduled,
            previous,
            job_key(identifier),
            identifier,
            template.queue_key,
            "L" if template.at_front else "R",
            "-" if expires is None else (scheduled + expires) * 1000,
            len(fields),
        ]
        for field, value in fields.items():
            arguments += (field, value)
        return arguments

    def _template(self, event: Event) -> JobTemplate:
        template = self._templates.get(event.name)
        if template is None:
            template = JobTemplate(event, serializer=self._serializer, connection=self._connection)
            self._templates[event.name] = template
        return template

    def _outcome(
        self, claim: Claim, verdict: bytes, decided: bytes, fired: bytes, now: float
    ) -> Outcome:
        state: Literal["enqueued", "expired", "decided", "refused"]
        if verdict == b"enqueued":
            state = "expired" if is_expired(claim, now) else "enqueued"
        else:
            state = "decided" if verdict == b"decided" else "refused"
        record = (
            Record(claim.scheduled, claim.previous) if decided == b"-" else _record(decided, fired)
        )
        return Outcome(claim, state, record, job_id(self._app, claim.event.name, claim.scheduled))


def is_expired(claim: Claim, now: float) -> bool:
    """Whether the occurrence is past its ``expires`` at ``now`` (UTC seconds)."""
    expires = claim.event.job.expires
    return expires is not None and now >= claim.scheduled + expires


def _record(decided: bytes, fired: bytes) -> Record:
    return Record(int(decided), None if fired == b"-" else int(fired))


def _script(name: str) -> str:
    return files("clock.ledger").joinpath(name).read_text(encoding="utf-8")


@contextmanager
def _server_errors() -> Iterator[None]:
    # READONLY, OOM, LOADING, a wrong password and the like are RedisErrors but not
    # ConnectionErrors; a socket that breaks in an odd moment gives a bare OSError. To a clock all
    # of them mean: not now.
    try:
        yield
    except (RedisError, OSError) as error:
        raise LedgerError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error
