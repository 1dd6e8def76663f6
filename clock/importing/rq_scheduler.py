"""Reading what rq-scheduler keeps in Redis. Nothing is changed there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job

from clock.connection import rq_keys
from clock.connection.errors import server_errors
from clock.importing.both_days import both_days
from clock.importing.croniter_text import with_ends
from clock.importing.function_name import function_name
from clock.importing.imported import Imported, ImportedEvent, LeftOut
from clock.importing.job_options import job_options
from clock.importing.literal import literal
from clock.recurrence.cron import parse_cron

_OWN_META = {"interval", "repeat", "cron_string", "use_local_timezone", "queue_class_name"}


def read_rq_scheduler(connection: Redis, *, zone: str, serializer: str) -> Imported:
    """Read the schedule of rq-scheduler; ``zone`` is that of the machine that it runs on.

    ``serializer`` is that of its jobs. Raises ServerError where Redis does not answer.
    """
    events: list[ImportedEvent] = []
    left_out: list[LeftOut] = []
    with server_errors():
        scheduled: list[Any] = connection.zrange(rq_keys.RQ_SCHEDULER, 0, -1, withscores=True)
        for key, due in scheduled:
            job_id = key.decode()
            try:
                job = Job.fetch(job_id, connection=connection, serializer=serializer)
                events.append(_event(job, int(due), left_out))
            except NoSuchJobError:
                left_out.append(LeftOut(job_id, "has no job any more"))
            except DeserializationError as error:
                left_out.append(LeftOut(job_id, f"its job cannot be read: {error}"))
            except ValueError as error:
                left_out.append(LeftOut(job_id, str(error)))
    return Imported(zone=zone, events=tuple(events), left_out=tuple(left_out))


def _event(job: Job, due: int, left_out: list[LeftOut]) -> ImportedEvent:
    meta: dict[str, Any] = job.meta
    task = function_name(job.func_name or "")
    at = datetime.fromtimestamp(due, UTC)
    if meta.get("repeat"):
        raise ValueError(f"{task}: repeat={meta['repeat']} has no counterpart; see until=")
    if meta.get("interval"):
        period, days = literal(int(meta["interval"])), {"anchor": literal(at.isoformat())}
    elif meta.get("cron_string"):
        period, days = _cron(str(meta["cron_string"]))
    else:
        raise ValueError(f"{task} runs once, at {at:%Y-%m-%dT%H:%MZ}; enqueue it with at=")
    if job.dependency_ids:
        left_out.append(LeftOut(job.id, f"{task}: depends_on has no counterpart"))
    if job.success_callback or job.failure_callback:
        left_out.append(LeftOut(job.id, f"{task}: write its callbacks as on_success=, on_failure="))
    return ImportedEvent(
        source=job.id,
        name=task,
        default_name=task,
        period=period,
        task=literal(task),
        options=days
        | job_options(
            queue=job.origin,
            args=list(job.args),
            kwargs=job.kwargs,
            timeout=job.timeout,
            expires=job.ttl,
            result_ttl=None if job.result_ttl == -1 else job.result_ttl,
            failure_ttl=job.failure_ttl,
            at_front=job.enqueue_at_front or None,
            meta={name: value for name, value in meta.items() if name not in _OWN_META},
            description=None if job.description == job.get_call_string() else job.description,
        ),
    )


def _cron(text: str) -> tuple[str, dict[str, str]]:
    """The period, and ``days=``: date and weekday must both match for rq-scheduler."""
    words = text.lower().split()
    if len(words) == 1:
        parse_cron(text)
        return literal(text), {}
    seconds = len(words) == 7
    first, year = (words[0] if seconds else "0"), (words[-1] if len(words) > 5 else "*")
    if year != "*":
        raise ValueError(f"{text!r} has a field for the year, which has no counterpart; see until=")
    line, days = both_days(with_ends(words[1:6] if seconds else words[:5]))
    if not seconds:
        parse_cron(line)
        return literal(line), days
    first = re.sub(r"^(\d+)/", r"\1-59/", first)
    parse_cron(f"{first} {line}", "first")
    return f'cron({literal(f"{first} {line}")}, seconds="first")', days
