"""Recording the actions of requests in the audit log."""

from __future__ import annotations

from contextlib import AbstractContextManager

from starlette.requests import Request

from clock.jobs.requeue import Filter
from clock.ledger.audit import Change, audited
from clock.ledger.audit_entry import Details
from clock.ledger.kept_template import Call
from clock.observe.rq.jobs import JobSummary
from clock.web.context import Context


def auditing(request: Request, what: str, on: str) -> AbstractContextManager[Change]:
    """Record what the block does to ``on`` for the person of ``request``."""
    context: Context = request.app.state.clock
    actor = context.authenticator.actor(request, request.state.person)
    return audited(context.answering(), context.app, actor, what, on, context.now())


def run_details(job: str, call: Call | None) -> Details:
    """A run by hand in the audit log, which readers see: without the arguments."""
    return {"job": job} if call is None else {"job": job, "other_arguments": True}


def job_details(job: JobSummary | None) -> Details | None:
    """A job before an action, as far as it is known."""
    if job is None:
        return None
    return {"status": job.status, "queue": job.queue, "task": job.task, "event": job.event}


def filter_words(which: Filter) -> str:
    """The failed jobs of a filter, in words."""
    words = {"queue": which.queue, "event": which.event, "task": which.task}
    return ", ".join(f"{name} {value}" for name, value in words.items() if value is not None)
