"""The template of an event's jobs as the ledger keeps it: for whoever has no schedule file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq.job import Job
from rq.serializers import resolve_serializer

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.errors import NotEnrolledError
from clock.ledger.job import JobTemplate, Shape, cut_meta, join_meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of ``task``, its dotted name, with arguments that the serializer can write."""

    task: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


def read_template(connection: Redis, app: str, event: str) -> JobTemplate:
    """The template of the jobs of ``event``.

    Raises NotEnrolledError where the ledger has none, or none that is readable, and ServerError.
    """
    with server_errors():
        parts = connection.register_script(script("clock.ledger", "template.lua"))(
            keys=[keys.templates(app), keys.shapes(app)], args=[event]
        )
    if parts is None:
        raise NotEnrolledError(f"the job of {event!r} is not in the ledger; start its clock once")
    try:
        return _template(parts)
    except (ValueError, TypeError, LookupError, AttributeError):
        # The script returned what stands there, which anybody may have written.
        raise NotEnrolledError(
            f"the job of {event!r} is unreadable; start its clock once"
        ) from None


def marked(template: JobTemplate, event: str, mark: str) -> JobTemplate:
    """``template`` of ``event`` with ``mark`` set in ``meta["clock"]`` of its jobs.

    Raises NotEnrolledError where its meta is unreadable.
    """
    try:
        serializer = resolve_serializer(template.shape.serializer)
        meta = serializer.loads(join_meta((template.later, *template.shape.later)))
        (first, *first_parts), (later, *later_parts) = (
            cut_meta(serializer.dumps, meta, event, is_first=is_first, mark=mark)
            for is_first in (True, False)
        )
    except (
        Exception
    ):  # what stands there may be damaged, or need a class that is not installed here
        raise _unreadable(event) from None
    shape = template.shape._replace(first=first_parts, later=later_parts)
    return template._replace(shape=shape, first=first, later=later)


def with_call(connection: Redis, template: JobTemplate, call: Call) -> JobTemplate:
    """``template`` with another call; a description that the event was given stays."""
    job = Job.create(
        call.task,
        args=tuple(call.args),
        kwargs=dict(call.kwargs),
        connection=connection,
        serializer=resolve_serializer(template.shape.serializer),
    )
    fields = job.to_dict()
    is_default = template.description.startswith(f"{call.task}(")
    description = fields["description"] if is_default else template.description
    return template._replace(data=fields["data"], description=description)


def _unreadable(event: str) -> NotEnrolledError:
    return NotEnrolledError(f"the job of {event!r} is unreadable; start its clock once")


def _template(parts: Sequence[Any]) -> JobTemplate:
    data, description, first, later, *of_shape = parts
    digest, queue_key, side, expires, overlap, stuck_after, serializer = of_shape[:7]
    count, fields = of_shape[12], of_shape[13:]
    if len(fields) != count:
        raise ValueError("not as many fields as there should be")
    shape = Shape(
        digest=digest.decode(),
        queue_key=queue_key.decode(),
        side=side.decode(),
        expires=None if expires == b"-" else int(expires),
        overlap=overlap.decode(),
        stuck_after=int(stuck_after),
        serializer=serializer.decode(),
        fields=dict(zip(fields[::2], fields[1::2], strict=True)),
        first=of_shape[7:9],
        later=of_shape[9:12],
    )
    return JobTemplate(
        shape=shape, data=data, description=description.decode(), first=first, later=later
    )
