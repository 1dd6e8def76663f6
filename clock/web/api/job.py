"""One job of the API: read, requeue, stop and delete it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clock.connection.errors import server_errors
from clock.jobs.progress import read_progress
from clock.jobs.requeue import Deleted, delete, requeue
from clock.jobs.stop import stop
from clock.observe import job_objects, objects
from clock.observe.rq.attempts import read_attempts
from clock.observe.rq.jobs import JobDetails, read_details, read_summaries
from clock.observe.rq.relations import read_relations
from clock.runs.output import read_outputs
from clock.web.api.jobs import DELETED, REQUEUED
from clock.web.api.operation import Call, Operation
from clock.web.auditing import job_details
from clock.web.problems import ProblemError

_TAG = "jobs"
_UNKNOWN = "RQ has no job with this id, or no longer"
_UNDELETABLE = {
    Deleted.UNKNOWN: _UNKNOWN,
    Deleted.STARTED: "the job is running and cannot be deleted",
    Deleted.NEEDED: "another job depends on this one, so it cannot be deleted",
}


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
    details, has_values = _details(call), call.context.access.arguments
    job, app = details.summary, call.context.app
    with server_errors():
        progress = read_progress(call.connection, job.id)
    known = read_attempts(call.connection, app, job, read_outputs(call.connection, app, job.id))
    relations = read_relations(call.connection, job.id)
    arguments = details.arguments if has_values else None
    return {
        **job_objects.summary_object(job),
        "progress": job_objects.progress_object(progress),
        "error": details.error,
        # RQ's own description contains the arguments.
        "description": details.description if has_values else None,
        "arguments": None
        if arguments is None
        else {"args": plain(arguments[0]), "kwargs": plain(arguments[1])},
        "attempts": [job_objects.attempt_object(attempt) for attempt in known.attempts],
        "has_result": known.has_result,
        "result": plain(known.result) if has_values and known.is_readable else None,
        "dependencies": list(relations.dependencies),
        "dependents": list(relations.dependents),
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


OPERATIONS = (
    Operation(
        id="get_job",
        method="GET", path="/jobs/{id}", tag=_TAG, does=_job, errors=(404,),
        summary="One job, with its last error, its attempts, and the jobs that it is related to",
        gives=job_objects.DETAILS,
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
        summary="Delete a job that is not running", gives=DELETED,
    ),
    Operation(
        id="requeue_job",
        method="POST", path="/jobs/{id}/requeue", tag=_TAG, does=_requeue, errors=(404, 409),
        summary="Requeue a failed job", gives=REQUEUED,
    ),
    Operation(
        id="stop_job",
        method="POST", path="/jobs/{id}/stop", tag=_TAG, does=_stop, errors=(404, 409),
        summary="Ask the worker of a running job to stop it; the job has failed then",
        gives=objects.of(stopped=objects.FLAG),
    ),
)  # fmt: skip
