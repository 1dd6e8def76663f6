"""The workers of the API, and its lists of jobs: read them, requeue and delete many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clock.jobs.requeue import (
    delete_all,
    delete_chosen,
    requeue_all,
    requeue_chosen,
)
from clock.observe import job_objects, objects
from clock.observe.rq.entries import Stage
from clock.observe.rq.error_groups import read_groups
from clock.observe.rq.job_search import LARGEST_PAGE, PAGE, SEARCHED, find_jobs
from clock.observe.rq.listed_job import Filter
from clock.observe.rq.queues import queue_names
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from clock.web.api.job_filter import CHANGED, FILTER, read_chosen, read_filter
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit
from clock.web.auditing import meant_words

_TAG = "jobs"


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


REQUEUED = objects.of(requeued=objects.COUNT, is_more=objects.FLAG)
DELETED = objects.of(deleted=objects.COUNT, is_more=objects.FLAG)

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
        body=CHANGED, body_is_required=True, gives=REQUEUED,
    ),
    Operation(
        id="delete_jobs",
        method="POST", path="/jobs/delete", tag=_TAG, does=_delete_all,
        summary="Delete chosen jobs, or the failed ones of a filter",
        body=CHANGED, body_is_required=True, gives=DELETED,
    ),
)  # fmt: skip
