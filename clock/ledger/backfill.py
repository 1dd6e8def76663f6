"""Claiming by hand what passed without a job."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import NotAQueueError, UnknownEventError
from clock.instant import utc_text
from clock.ledger.job import JobTemplates, job_id, job_meta
from clock.ledger.reserved import meta_mark
from clock.ledger.unscheduled_job import UnscheduledJob, build_job
from clock.schedule.event import Event


class Standing(StrEnum):
    """What the ledger says of an occurrence that is to be backfilled."""

    OPEN = "open"
    """It had no job."""

    FIRED = "fired"
    """It had its job: there still is one, or the history says so."""

    BACKFILLED = "backfilled"
    """It was backfilled before."""

    TAKEN = "taken"
    """It had none, and another job has the id that its job would get."""

    PENDING = "pending"
    """It is not decided yet; its clock may still enqueue it, by its catch-up rule."""


class Backfill:
    """The occurrences of one event, claimed by hand, for one application.

    Every method raises UnknownEventError for an event no clock of the application ever had, and
    ServerError where the server is away or refuses; calling it again is always safe.
    """

    def __init__(self, connection: Redis, *, app: str, event: Event, serializer: str) -> None:
        self._connection = connection
        self._app = app
        self._event = event
        self._serializer = serializer
        self._template = JobTemplates(connection, serializer).of(event)
        self._script = connection.register_script(
            script("clock.ledger", "backfill.lua", include="push.lua")
        )

    def look(self, scheduled: int, now: float) -> Standing:
        """Where the occurrence at ``scheduled`` stands; nothing is written.

        Instants are UTC seconds since 1970.
        """
        return self._call(self._job(scheduled, now, None), scheduled, now, "look")

    def push(self, scheduled: int, now: float, previous: int | None = None) -> Standing:
        """Enqueue the job of the occurrence if it is OPEN; returns where it stood.

        The job has the id and the scheduled time of its occurrence; ``expires`` counts from
        ``now``. It goes behind what waits, so that backfilled jobs run in the order they are
        pushed in. ``previous`` is the occurrence before, as its meta shall say.
        """
        return self._call(self._job(scheduled, now, previous), scheduled, now, "push")

    def _job(self, scheduled: int, now: float, previous: int | None) -> UnscheduledJob:
        event = self._event
        return build_job(
            job_id(self._app, event.name, scheduled),
            event.name,
            queue=self._template.shape.queue_key,
            side="RPUSH",
            expires=event.job.expires,
            serializer=self._serializer,
            template=self._template.fields,
            meta=job_meta(event.job),
            scheduled=scheduled,
            previous=previous,
            now=now,
            mark="backfill",
        )

    def _call(self, job: UnscheduledJob, scheduled: int, now: float, mode: str) -> Standing:
        name, queue = self._event.name, self._template.shape.queue_key
        mark = meta_mark(self._template.first + utc_text(scheduled).encode())
        limits: list[Any] = [now, keys.TTL, keys.BACKFILLED, mode]
        with server_errors():
            reply = self._script(
                keys=[
                    keys.decided(self._app),
                    keys.backfilled(self._app, name),
                    rq_keys.QUEUES,
                ],
                args=[*job.head(mark), name, scheduled, *limits, *job.flat()],
            )
        word = as_text(reply)
        if word == "unknown":
            raise UnknownEventError(f"the ledger of the application {self._app!r} has no {name!r}")
        if word == "refused":
            raise NotAQueueError(f"the key {queue} holds no queue")
        return Standing(word)
