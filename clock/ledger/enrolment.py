"""Enrolment: the events of a schedule and their jobs, made known to the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from redis import Redis

from clock import keys
from clock.ledger.channel import Channel, ChannelCall
from clock.ledger.job import JobTemplate, JobTemplates, Shape, job_prefix
from clock.schedule.event import Event

ENROLLED_AT_ONCE = 500
"""Events in one call of the enrolment script; it holds the server for a few milliseconds."""

ENROLLED_BYTES = 65_536
"""Bytes in one such call: two are sent ahead, and at 100 kB/s both are answered in time."""

SMALL = 4_096
"""Bytes of a template whose size is not kept: all events of one batch fit into a call."""


class Enrolment:
    """Enrols events of one application, whose jobs are written with ``serializer``."""

    def __init__(
        self, connection: Redis, *, app: str, serializer: str, has_sources: bool = False
    ) -> None:
        """``has_sources`` says that events of the schedule may have been rows before."""
        self._app = app
        self._has_sources = has_sources
        self._templates = JobTemplates(connection, serializer)
        self._channel = Channel(connection, "enrol.lua")
        self.large: dict[str, int] = {}
        """The events whose jobs take more than ``SMALL`` bytes, with how many."""

    def in_parts(
        self,
        events: Sequence[Event],
        now: float | None,
        stands_at: float | None,
        may_go_on: Callable[[], bool],
    ) -> Iterator[list[int]]:
        """See ``Ledger.enrol_in_parts``."""
        calls: deque[ChannelCall] = deque()
        parts = self._parts(events)
        is_of_file = not any(event.source for event in events)
        try:
            while (part := next(parts, None)) is not None:
                calls.append(self._enrol(part, now, stands_at, is_of_file=is_of_file))
                if not may_go_on():
                    break
                if len(calls) > 1:
                    yield list(map(int, self._channel.receive(calls.popleft())))
            while calls:
                yield list(map(int, self._channel.receive(calls.popleft())))
        except BaseException:
            self._channel.close()
            raise

    def _parts(self, events: Sequence[Event]) -> Iterator[list[tuple[Shape, Sequence[Any]]]]:
        """The arguments of the events for one call after the other, with the shape of each."""
        part: list[tuple[Shape, Sequence[Any]]] = []
        room = ENROLLED_BYTES
        for event in events:
            template = self._templates.of(event)
            arguments = self._event_arguments(event, template)
            size = sum(map(len, arguments))
            if size > SMALL:
                self.large[event.name] = size
            if part and (size > room or len(part) == ENROLLED_AT_ONCE):
                yield part
                part, room = [], ENROLLED_BYTES
            part.append((template.shape, arguments))
            room -= size
        if part:
            yield part

    def _enrol(
        self,
        part: Sequence[tuple[Shape, Sequence[Any]]],
        now: float | None,
        stands_at: float | None,
        *,
        is_of_file: bool,
    ) -> ChannelCall:
        shapes = {shape.digest: shape for shape, _ in part}
        instant = "" if stands_at is None else int(stands_at)
        arguments: list[Any] = [or_server_time(now), keys.TTL, instant, len(shapes)]
        for shape in shapes.values():
            arguments += shape.arguments()
        for _, of_event in part:
            arguments += of_event
        of = [keys.decided, keys.recurrences, keys.templates, keys.shapes]
        if is_of_file and self._has_sources:
            of.append(keys.removed_rows)
        return self._channel.send([key(self._app) for key in of], arguments)

    def _event_arguments(self, event: Event, template: JobTemplate) -> Sequence[Any]:
        return (
            event.name,
            event.identity(),
            template.shape.digest,
            *template.arguments(job_prefix(self._app, event.name)),
        )


def or_server_time(now: float | None) -> float | str:
    """The argument for ``now``; without it a script takes the server's time."""
    return "" if now is None else now
