"""The workers and jobs of the API: read, requeue and delete them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clock.connection.errors import server_errors
from clock.jobs.progress import read_progress
from clock.jobs.requeue import (
    Deleted,
    delete,
    delete_all,
    delete_chosen,
    requeue,
    requeue_all,
    requeue_chosen,
)
from clock.jobs.stop import stop
from clock.observe import job_objects, objects
from clock.observe.rq.entries import Stage
from clock.observe.rq.error_groups import read_groups
from clock.observe.rq.job_search import LARGEST_PAGE, PAGE, SEARCHED, find_jobs
from clock.observe.rq.jobs import JobDetails, read_details, read_summaries
from clock.observe.rq.listed_job import Filter
from clock.observe.rq.queues import queue_names
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from clock.runs.output import read_outputs
from clock.web.api.job_filter import CHANGED, FILTER, read_chosen, read_filter
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit
from clock.web.auditing import job_details, meant_words
from clock.web.problems import ProblemError

_TAG = "jobs"
_UNKNOWN = "RQ has no job with this id, or no longer"
_UNDELETABLE = {
    Deleted.UNKNOWN: _UNKNOWN,
    Deleted.STARTED: "the job is running and cannot be deleted",
    Deleted.NEEDED: "another job depends on this one, so it cannot be deleted",
}


def _workers(call: Call) -> Mapping[str, Any]:
    return {"workers": [objects.worker_object(worker) for worker in read_workers(call.connection)]}


def _running(call: Call) -> Mapping[str, Any]:
    return {"jobs": [job_objects.running_object(job) for job in read_running(call.connection)]}


def _jobs(call: Call) -> Mapping[str, Any]:
    which = read_filter(call.query)
    page = find_jobs(
        call.connection,
        _queues_of(call, which),
        Stage(call.query["state"]),
        which,
        now=call.now,
        cursor=call.query.get("cursor"),
        limit=call.query["limit"],
    )
    return {
        "jobs": [job_objects.job_object(job) for job in page.jobs],
        "total": page.total,
        "looked_at": page.looked_at,
        "next": page.next,
    }


def _groups(call: Call) -> Mapping[str, Any]:
    which = read_filter(call.query)
    grouped = read_groups(call.connection, _queues_of(call, which), which, now=call.now)
    return {
        "groups": [job_objects.error_group_object(group) for group in grouped.groups],
        "left_out": grouped.left_out,
        "total": grouped.total,
        "looked_at": grouped.looked_at,
    }


def _queues_of(call: Call, which: Filter) -> list[str]:
    return [which.queue] if which.queue is not None else sorted(queue_names(call.connection))


def _id(call: Call) -> str:
    identifier = call.path["id"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,250}", identifier):
        raise ProblemError("unknown-job", _UNKNOWN)
    return identifier


def _details(call: Call) -> JobDetails:
    details = read_details(call.connection, _id(call))
    if details is None:
        raise ProblemError("unknown-job", _UNKNOWN)
    return details


def _job(call: Call) -> Mapping[str, Any]:
    details, has_arguments = _details(call), call.context.access.arguments
    with server_errors():
        progress = read_progress(call.connection, details.summary.id)
    arguments = details.arguments if has_arguments else None
    return {
        **job_objects.summary_object(details.summary),
        "progress": job_objects.progress_object(progress),
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
        raise ProblemError("no-output", "no output of this job is kept")
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
            raise ProblemError("job-state", change.problem)
    return {"requeued": 1, "is_more": False}


def _stop(call: Call) -> Mapping[str, Any]:
    job = _details(call).summary
    with call.audited("stop", job.id) as change:
        change.before = job_details(job)
        if not stop(call.connection, job.id):
            change.problem = f"the job is not running, it is {job.status}"
            raise ProblemError("job-state", change.problem)
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
            name = "unknown-job" if outcome is Deleted.UNKNOWN else "job-state"
            raise ProblemError(name, change.problem)
    return {"deleted": 1, "is_more": False}


def _requeue_all(call: Call) -> Mapping[str, Any]:
    meant = read_chosen(call.body)
    with call.audited(f"requeue {_scope(meant)}", meant_words(meant)) as change:
        if isinstance(meant, Filter):
            changed = requeue_all(call.connection, meant, call.now)
        else:
            changed = requeue_chosen(call.connection, meant, call.now)
        change.after = {"requeued": changed.count}
    return {"requeued": changed.count, "is_more": changed.is_more}


def _delete_all(call: Call) -> Mapping[str, Any]:
    meant = read_chosen(call.body)
    with call.audited(f"delete {_scope(meant)}", meant_words(meant)) as change:
        if isinstance(meant, Filter):
            changed = delete_all(call.connection, meant, call.now)
        else:
            changed = delete_chosen(call.connection, meant)
        change.after = {"deleted": changed.count}
    return {"deleted": changed.count, "is_more": changed.is_more}


def _scope(meant: Sequence[str] | Filter) -> str:
    return "all" if isinstance(meant, Filter) else "chosen"


_REQUEUED = objects.of(requeued=objects.COUNT, is_more=objects.FLAG)
_DELETED = objects.of(deleted=objects.COUNT, is_more=objects.FLAG)

OPERATIONS = (
    Operation(
        id="get_workers",
        method="GET", path="/workers", tag=_TAG, does=_workers,
        summary="The living workers",
        gives=objects.of(workers=objects.listed(objects.WORKER)),
    ),
    Operation(
        id="get_running",
        method="GET", path="/running", tag=_TAG, does=_running,
        summary="The running jobs, with their progress",
        gives=objects.of(jobs=objects.listed(job_objects.RUNNING)),
    ),
    Operation(
        id="get_jobs",
        method="GET", path="/jobs", tag=_TAG, does=_jobs,
        summary=f"The jobs in one state, of a queue or of all, a page at a time; one request looks "
        f"at no more than {SEARCHED}",
        parameters={
            **FILTER,
            # As in 0.1.0, which had no pages of several queues.
            "queue": {**FILTER["queue"], "default": "default", "description": "'*' is all queues."},
            "state": {
                "type": "string", "enum": [*map(str, Stage)], "default": "queued",
            },
            "limit": limit(LARGEST_PAGE, PAGE),
            "cursor": {
                "type": "string", "minLength": 1, "maxLength": 1800,
                "description": "The 'next' of the previous page.",
            },
        },
        gives=objects.of(
            jobs=objects.listed(job_objects.JOB),
            total={**objects.COUNT, "description": "In this state, whatever the filter."},
            looked_at={**objects.COUNT, "description": "To find the jobs of this page."},
            next=objects.MAYBE_TEXT,
        ),
    ),
    Operation(
        id="get_job_groups",
        method="GET", path="/jobs/groups", tag=_TAG, does=_groups,
        summary="The failed jobs grouped by their error, the largest group first",
        parameters=FILTER,
        gives=objects.of(
            groups=objects.listed(job_objects.ERROR_GROUP), left_out=objects.COUNT,
            total=objects.COUNT, looked_at=objects.COUNT,
        ),
    ),
    Operation(
        id="requeue_jobs",
        method="POST", path="/jobs/requeue", tag=_TAG, does=_requeue_all, errors=(409,),
        summary="Requeue chosen jobs that have failed, or those of a filter",
        body=CHANGED, body_is_required=True, gives=_REQUEUED,
    ),
    Operation(
        id="delete_jobs",
        method="POST", path="/jobs/delete", tag=_TAG, does=_delete_all,
        summary="Delete chosen jobs, or the failed ones of a filter",
        body=CHANGED, body_is_required=True, gives=_DELETED,
    ),
    Operation(
        id="get_job",
        method="GET", path="/jobs/{id}", tag=_TAG, does=_job, errors=(404,),
        summary="One job, with its last error", gives=job_objects.DETAILS,
    ),
    Operation(
        id="get_job_output",
        method="GET", path="/jobs/{id}/output", tag=_TAG, does=_output, errors=(404,),
        summary="What the runs of a job printed and logged, the first attempt first",
        gives=objects.of(outputs=objects.listed(objects.OUTPUT)),
    ),
    Operation(
        id="delete_job",
        method="DELETE", path="/jobs/{id}", tag=_TAG, does=_delete, errors=(404, 409),
        summary="Delete a job that is not running", gives=_DELETED,
    ),
    Operation(
        id="requeue_job",
        method="POST", path="/jobs/{id}/requeue", tag=_TAG, does=_requeue, errors=(404, 409),
        summary="Requeue a failed job", gives=_REQUEUED,
    ),
    Operation(
        id="stop_job",
        method="POST", path="/jobs/{id}/stop", tag=_TAG, does=_stop, errors=(404, 409),
        summary="Ask the worker of a running job to stop it; the job has failed then",
        gives=objects.of(stopped=objects.FLAG),
    ),
)  # fmt: skip
