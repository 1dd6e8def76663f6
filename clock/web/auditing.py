"""Recording the actions of requests in the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace

from starlette.requests import Request

from clock.ledger.audit import Change, audited
from clock.ledger.audit_entry import Details, Entry
from clock.ledger.kept_template import Call
from clock.observe.formatting import utc
from clock.observe.rq.jobs import JobSummary
from clock.observe.rq.listed_job import Filter
from clock.web.context import Context

_NAMED = 5
"""Chosen jobs that an entry names; the others are counted."""


def auditing(request: Request, what: str, on: str) -> AbstractContextManager[Change]:
    """Record what the block does to ``on`` for the person of ``request``."""
    context: Context = request.app.state.clock
    actor = context.authenticator.actor(request, request.state.person)
    return audited(context.answering(), context.app, actor, what, on, context.now())


def shown_entries(context: Context, entries: Iterable[Entry]) -> list[Entry]:
    """Entries as readers see them: without the arguments of rows, where these are hidden."""
    if context.access.arguments:
        return list(entries)
    return [
        replace(
            entry,
            before=_without_arguments(entry.before),
            after=_without_arguments(entry.after),
        )
        for entry in entries
    ]


def _without_arguments(details: Details | None) -> Details | None:
    if details is None:
        return None
    return {word: value for word, value in details.items() if word not in {"args", "kwargs"}}


def run_details(job: str, call: Call | None) -> Details:
    """A run by hand in the audit log, which readers see: without the arguments."""
    return {"job": job} if call is None else {"job": job, "other_arguments": True}


def job_details(job: JobSummary | None) -> Details | None:
    """A job before an action, as far as it is known."""
    if job is None:
        return None
    return {"status": job.status, "queue": job.queue, "task": job.task, "event": job.event}


def meant_words(meant: Sequence[str] | Filter) -> str:
    """The failed jobs of a filter, or chosen ones, in words."""
    if not isinstance(meant, Filter):
        more = len(meant) - _NAMED
        return ", ".join(meant[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    given = {name: value for name, value in asdict(meant).items() if value is not None}
    for name in given.keys() & {"since", "until"}:
        given[name] = utc(given[name])
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "all queues"
