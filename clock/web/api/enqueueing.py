"""Enqueueing over the API: one job or a list of them, of the tasks of an allow-list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from clock.errors import RequestChangedError
from clock.jobs.enqueue import enqueue_request
from clock.jobs.options import TABLE, EnqueueOptions
from clock.jobs.request import Request
from clock.jobs.target import Target
from clock.observe import objects
from clock.schedule.checks import LONGEST_STRING
from clock.schedule.option import Schema, Use, options_for, string_schema
from clock.web.api.operation import Call, Operation, Reply
from clock.web.context import ANSWER
from clock.web.problems import ProblemError

MOST = 100
"""Jobs in one request."""

_TAG = "enqueueing"


def _tasks(call: Call) -> Mapping[str, Any]:
    return {"tasks": sorted(call.context.allowed)}


def _enqueue(call: Call) -> Reply:
    is_one = isinstance(call.body, dict)
    bodies = [call.body] if is_one else call.body
    jobs = [_job(body, number, call, is_one) for number, body in enumerate(bodies)]
    context = call.context
    target = Target(connection=context.connection, serializer=context.serializer, app=context.app)
    request = None if call.key is None else _request(call.key, call.body, len(jobs))
    try:
        handles = enqueue_request(target, jobs, deadline=ANSWER, now=call.now, request=request)
    except RequestChangedError as error:
        raise ProblemError("key-reused", f"Idempotency-Key: {error}") from None
    except ValueError as error:
        raise ProblemError("invalid-value", str(error)) from None
    shapes_of_jobs = [{"id": handle.id, "is_new": handle.is_new} for handle in handles]
    status = 201 if any(handle.is_new for handle in handles) else 200
    return Reply(status=status, body=shapes_of_jobs[0] if is_one else {"jobs": shapes_of_jobs})


def _job(body: dict[str, Any], number: int, call: Call, is_one: bool) -> tuple[str, EnqueueOptions]:
    options = dict(body)
    task = options.pop("task")
    if task not in call.context.allowed:
        detail = f"the task {task!r} may not be enqueued over the API"
        raise ProblemError("task-not-allowed", detail)
    if call.key is not None:
        if "id" in options:
            detail = "give only one of 'id' and the header Idempotency-Key"
            raise ProblemError("invalid-value", detail)
        options["id"] = call.key if is_one else f"{call.key}-{number}"
    return task, cast("EnqueueOptions", options)


def _request(key: str, body: Any, count: int) -> Request:
    """The request with ``key``. Its ids are those of one job and of a list: the key may have come
    with another body before.
    """
    digest = hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).hexdigest()
    ids = [key, *(f"{key}-{number}" for number in range(count))]
    return Request(key=key, digest=digest, ids=ids)


NEW_JOB: Schema = {
    "type": "object",
    "properties": {
        "task": {
            **string_schema(LONGEST_STRING),
            "description": "The dotted name of a task of the allow-list.",
        },
        **{
            option.name: {**(option.schema or {}), "description": option.help.replace("`", "")}
            for option in options_for(Use.API, TABLE).values()
        },
    },
    "required": ["task"],
    "additionalProperties": False,
}
ENQUEUED = objects.of(id=objects.TEXT, is_new=objects.FLAG)

OPERATIONS = (
    Operation(
        id="get_tasks",
        method="GET", path="/tasks", tag=_TAG, does=_tasks,
        summary="The tasks that may be enqueued over the API",
        gives=objects.of(tasks=objects.listed(objects.TEXT)),
    ),
    Operation(
        id="enqueue_jobs",
        method="POST", path="/jobs", tag=_TAG, does=_enqueue, statuses=(200, 201),
        errors=(403, 409), is_idempotent_by_key=True, body_is_required=True,
        summary="Enqueue a job, or a list of them in one transaction; the status is 200 if all of "
        "them existed already",
        body={
            "oneOf": [NEW_JOB, {**objects.listed(NEW_JOB), "minItems": 1, "maxItems": MOST}],
        },
        gives={"oneOf": [ENQUEUED, objects.of(jobs=objects.listed(ENQUEUED))]},
    ),
)  # fmt: skip
