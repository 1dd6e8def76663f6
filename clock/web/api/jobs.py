"""The workers and jobs of the API: read, requeue and delete them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

from clock.connection.errors import server_errors
from clock.jobs.progress import read_progress
from clock.jobs.requeue import (
    MOST,
    Deleted,
    Filter,
    delete,
    delete_all,
    requeue,
    requeue_all,
)
from clock.jobs.stop import stop
from clock.observe import objects
from clock.observe.rq.job_pages import LARGEST_PAGE, PAGE, Stage, read_jobs
from clock.observe.rq.jobs import JobDetails, read_details, read_summaries
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from clock.runs.output import read_outputs
from clock.schedule.option import Schema
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit
from clock.web.auditing import filter_words, job_details

_TAG = "jobs"
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_UNKNOWN = "RQ has no job with this id, or no longer"
_UNDELETABLE = {
    Deleted.UNKNOWN: _UNKNOWN,
    Deleted.STARTED: "the job is running and cannot be deleted",
    Deleted.NEEDED: "another job depends on this one, so it cannot be deleted",
}


def _workers(call: Call) -> Mapping[str, Any]:
    return {"workers": [objects.worker_object(worker) for worker in read_workers(call.connection)]}


def _running(call: Call) -> Mapping[str, Any]:
    return {"jobs": [objects.running_object(job) for job in read_running(call.connection)]}


def _jobs(call: Call) -> Mapping[str, Any]:
    page = read_jobs(
        call.connection,
        call.query["queue"],
        Stage(call.query["state"]),
        now=call.now,
        cursor=call.query.get("cursor"),
        limit=call.query["limit"],
    )
    return {
        "jobs": [objects.job_object(job) for job in page.jobs],
        "total": page.total,
        "next": page.next,
    }


def _id(call: Call) -> str:
    identifier = call.path["id"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,250}", identifier):
        raise HTTPException(404, _UNKNOWN)
    return identifier


def _details(call: Call) -> JobDetails:
    details = read_details(call.connection, _id(call))
    if details is None:
        raise HTTPException(404, _UNKNOWN)
    return details


def _job(call: Call) -> Mapping[str, Any]:
    details, has_arguments = _details(call), call.context.access.arguments
    with server_errors():
        progress = read_progress(call.connection, details.summary.id)
    arguments = details.arguments if has_arguments else None
    return {
        **objects.job_object(details.summary),
        "progress": objects.progress_object(progress),
        "error": details.error,
        # RQ's own description contains the arguments.
        "description": details.description if has_arguments else None,
        "arguments": None
        if arguments is None
        else {"args": plain(arguments[0]), "kwargs": plain(arguments[1])},
    }


def _output(call: Call) -> Mapping[str, Any]:
    outputs = read_outputs(call.connection, call.context.app, _id(call))
    if not outputs:
        raise HTTPException(404, "no output of this job is kept")
    return {"outputs": [objects.output_object(output) for output in outputs]}


def plain(value: Any) -> Any:
    """``value`` as JSON; what JSON cannot express becomes its ``repr``."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    is_finite = not isinstance(value, float) or value - value == 0
    if value is None or (isinstance(value, (str, int, float)) and is_finite):
        return value.encode(errors="replace").decode() if isinstance(value, str) else value
    return repr(value)


def _requeue(call: Call) -> Mapping[str, Any]:
    job = _details(call).summary
    with call.audited("requeue", job.id) as change:
        change.before = job_details(job)
        if not requeue(call.connection, [job.id], job.queue, call.now):
            change.problem = f"the job has not failed, it is {job.status}"
            raise HTTPException(409, change.problem)
    return {"requeued": 1, "is_more": False}


def _stop(call: Call) -> Mapping[str, Any]:
    job = _details(call).summary
    with call.audited("stop", job.id) as change:
        change.before = job_details(job)
        if not stop(call.connection, job.id):
            change.problem = f"the job is not running, it is {job.status}"
            raise HTTPException(409, change.problem)
    return {"stopped": True}


def _delete(call: Call) -> Mapping[str, Any]:
    identifier = _id(call)
    with server_errors():
        (job,) = read_summaries(call.connection, [identifier])
    with call.audited("delete", identifier) as change:
        change.before = job_details(job)
        outcome = delete(call.connection, identifier)
        if outcome is not Deleted.GONE:
            change.problem = _UNDELETABLE[outcome]
            raise HTTPException(404 if outcome is Deleted.UNKNOWN else 409, change.problem)
    return {"deleted": 1, "is_more": False}


def _filter(call: Call) -> Filter:
    body = call.body
    return Filter(queue=body["queue"], event=body.get("event"), task=body.get("task"))


def _requeue_all(call: Call) -> Mapping[str, Any]:
    which = _filter(call)
    with call.audited("requeue all", filter_words(which)) as change:
        changed = requeue_all(call.connection, which, call.now)
        change.after = {"requeued": changed.count}
    return {"requeued": changed.count, "is_more": changed.is_more}


def _delete_all(call: Call) -> Mapping[str, Any]:
    which = _filter(call)
    with call.audited("delete all", filter_words(which)) as change:
        changed = delete_all(call.connection, which, call.now)
        change.after = {"deleted": changed.count}
    return {"deleted": changed.count, "is_more": changed.is_more}


_FILTER: Schema = {
    "type": "object",
    "properties": {"queue": _NAME, "event": _NAME, "task": _NAME},
    "required": ["queue"],
    "additionalProperties": False,
    "description": f"Failed jobs of a queue; one call changes at most {MOST}.",
}
_REQUEUED = objects.of(requeued=objects.COUNT, is_more=objects.FLAG)
_DELETED = objects.of(deleted=objects.COUNT, is_more=objects.FLAG)

OPERATIONS = (
    Operation(
        method="GET", path="/workers", tag=_TAG, does=_workers,
        summary="The living workers",
        gives=objects.of(workers=objects.listed(objects.WORKER)),
    ),
    Operation(
        method="GET", path="/running", tag=_TAG, does=_running,
        summary="The running jobs, with their progress",
        gives=objects.of(jobs=objects.listed(objects.RUNNING)),
    ),
    Operation(
        method="GET", path="/jobs", tag=_TAG, does=_jobs,
        summary="The jobs of a queue in one state, a page at a time",
        parameters={
            "queue": {**_NAME, "default": "default"},
            "state": {
                "type": "string", "enum": [*map(str, Stage)], "default": "queued",
            },
            "limit": limit(LARGEST_PAGE, PAGE),
            "cursor": {
                "type": "string", "minLength": 1, "maxLength": 600,
                "description": "The 'next' of the previous page.",
            },
        },
        gives=objects.of(
            jobs=objects.listed(objects.JOB), total=objects.COUNT, next=objects.MAYBE_TEXT
        ),
    ),
    Operation(
        method="POST", path="/jobs/requeue", tag=_TAG, does=_requeue_all, errors=(409,),
        summary="Requeue the failed jobs of a filter",
        body=_FILTER, body_is_required=True, gives=_REQUEUED,
    ),
    Operation(
        method="POST", path="/jobs/delete", tag=_TAG, does=_delete_all,
        summary="Delete the failed jobs of a filter",
        body=_FILTER, body_is_required=True, gives=_DELETED,
    ),
    Operation(
        method="GET", path="/jobs/{id}", tag=_TAG, does=_job, errors=(404,),
        summary="One job, with its last error", gives=objects.DETAILS,
    ),
    Operation(
        method="GET", path="/jobs/{id}/output", tag=_TAG, does=_output, errors=(404,),
        summary="What the runs of a job printed and logged, the first attempt first",
        gives=objects.of(outputs=objects.listed(objects.OUTPUT)),
    ),
    Operation(
        method="DELETE", path="/jobs/{id}", tag=_TAG, does=_delete, errors=(404, 409),
        summary="Delete a job that is not running", gives=_DELETED,
    ),
    Operation(
        method="POST", path="/jobs/{id}/requeue", tag=_TAG, does=_requeue, errors=(404, 409),
        summary="Requeue a failed job", gives=_REQUEUED,
    ),
    Operation(
        method="POST", path="/jobs/{id}/stop", tag=_TAG, does=_stop, errors=(404, 409),
        summary="Ask the worker of a running job to stop it; the job has failed then",
        gives=objects.of(stopped=objects.FLAG),
    ),
)  # fmt: skip
