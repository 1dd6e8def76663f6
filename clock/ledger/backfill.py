"""Backfilling: enqueueing the jobs of occurrences that passed without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import TAKES_NO_JOBS, NotAQueueError, UnknownEventError
from clock.ledger.job import JobTemplate, JobTemplates, job_prefix
from clock.ledger.kept_template import marked, read_template
from clock.ledger.trends import enqueued_words, with_trends
from clock.schedule.event import Event

AT_ONCE = 200
"""Occurrences that are looked at in one round trip."""


class Standing(StrEnum):
    """Where an occurrence that is to be backfilled stands."""

    OPEN = "open"
    """It had no job."""

    FIRED = "fired"
    """It had its job, which still exists or is in the history."""

    BACKFILLED = "backfilled"
    """It was backfilled before."""

    TAKEN = "taken"
    """It had no job, and another job has the id that its job would get."""

    PENDING = "pending"
    """It is not decided yet: its clock may still enqueue it, by its catch-up rule."""


class Backfill:
    """Enqueues past occurrences of one event of one application.

    Every method raises UnknownEventError for an event that no clock of the application ever had,
    NotAQueueError, and ServerError; calling it again is always safe.
    """

    def __init__(
        self,
        connection: Redis,
        *,
        app: str,
        event: str,
        template: JobTemplate,
        scheduled: JobTemplate,
    ) -> None:
        """``template`` is that of the backfilled jobs, ``scheduled`` that of the event's others."""
        self._connection = connection
        self._app = app
        self._event = event
        self._template = template
        self._scheduled = scheduled
        self._script = connection.register_script(
            with_trends(script("clock.ledger", "backfill.lua", include="job.lua"))
        )

    @classmethod
    def of_event(cls, connection: Redis, *, app: str, event: Event, serializer: str) -> Backfill:
        """With the jobs of ``event`` as its schedule file declares them."""
        return cls(
            connection,
            app=app,
            event=event.name,
            template=JobTemplates(connection, serializer, mark="backfill").of(event),
            scheduled=JobTemplates(connection, serializer).of(event),
        )

    @classmethod
    def of_ledger(cls, connection: Redis, *, app: str, event: str) -> Backfill:
        """With the jobs of the event of this name as the last start of its clock enrolled them.

        Raises NotEnrolledError where the ledger does not have them.
        """
        scheduled = read_template(connection, app, event)
        template = marked(scheduled, event, "backfill")
        return cls(connection, app=app, event=event, template=template, scheduled=scheduled)

    def look(self, scheduled: int, now: float) -> Standing:
        """Where the occurrence at ``scheduled`` stands; nothing is written.

        Instants are UTC seconds since 1970.
        """
        return self._call("look", scheduled, now, None)

    def push(self, scheduled: int, now: float, previous: int | None = None) -> Standing:
        """Enqueue the job of the occurrence if it is OPEN; returns where it stood.

        The job has the id and the scheduled time of its occurrence; ``expires`` counts from
        ``now``. It goes behind what waits, so that backfilled jobs run in the order they are
        pushed in. ``previous`` is the occurrence before, for its meta.
        """
        return self._call("push", scheduled, now, previous)

    def look_all(self, scheduled: Sequence[int], now: float) -> list[Standing]:
        """As ``look`` for each of ``scheduled``, some hundred in a round trip."""
        # The first call loads the script. A pipeline would ask for permission to look for it.
        standings = [self.look(instant, now) for instant in scheduled[:1]]
        for start in range(1, len(scheduled), AT_ONCE):
            with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
                for instant in scheduled[start : start + AT_ONCE]:
                    names, arguments = self._request("look", instant, now, None)
                    pipeline.evalsha(self._script.sha, len(names), *names, *arguments)
                standings += map(self._standing, pipeline.execute())
        return standings

    def push_all(self, scheduled: Iterable[int], now: Callable[[], float]) -> list[Standing]:
        """As ``push`` for each of ``scheduled``, the oldest first; ``now`` returns the time. Where
        an error ends it, what was pushed stays.
        """
        standings: list[Standing] = []
        previous = None
        for instant in scheduled:
            standings.append(self.push(instant, now(), previous))
            if standings[-1] is Standing.OPEN:
                previous = instant
        return standings

    def _call(self, mode: str, scheduled: int, now: float, previous: int | None) -> Standing:
        names, arguments = self._request(mode, scheduled, now, previous)
        with server_errors():
            reply = self._script(keys=names, args=arguments)
        return self._standing(reply)

    def _request(
        self, mode: str, scheduled: int, now: float, previous: int | None
    ) -> tuple[list[str], list[Any]]:
        """The keys and the arguments of the script."""
        name, template = self._event, self._template
        counted = enqueued_words(self._app, template.shape.queue, name, now)
        if mode == "look":
            counted = ()
            # They may be large, and nobody asks for them.
            template = template._replace(data=b"", description="")
        arguments = [
            *(now, mode, keys.TTL, keys.BACKFILLED, name, scheduled),
            "-" if previous is None else previous,
            self._scheduled.first,
            *template.arguments(job_prefix(self._app, name)),
            *template.shape.arguments(),
            *counted,
        ]
        written = [keys.decided(self._app), keys.backfilled(self._app, name), rq_keys.QUEUES]
        return written, arguments

    def _standing(self, reply: Any) -> Standing:
        standing = as_text(reply)
        if standing == "unknown":
            raise UnknownEventError(
                f"the ledger of the application {self._app!r} has no {self._event!r}"
            )
        if standing == "refused":
            raise NotAQueueError(f"the key {self._template.shape.queue_key} {TAKES_NO_JOBS}")
        return Standing(standing)
