"""Queues and workers."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clock.ledger.pauses import Pause
from clock.ledger.queue_pauses import pause_queue, resume_queue
from clock.observe import objects
from clock.observe.reading import is_queue, read_app_queues
from clock.observe.rq.error_groups import read_groups
from clock.observe.rq.running import read_running
from clock.observe.rq.workers import read_workers
from clock.observe.trends import Of, Span, read_trends
from clock.web.auditing import auditing
from clock.web.pages.actions import LONGEST_REASON, field, finish
from clock.web.pages.overview import message_of
from clock.web.pages.rendering import context_of, render
from clock.web.pages.trends import draw, zone_of

LOOKED_AT = 500
"""Failed jobs whose errors are grouped on this page, which asks for itself all the time."""

SHOWN = 10
"""Groups of errors on this page."""

LISTED = 200
"""Running jobs on this page, those that began first, and workers."""


def show_queues(request: Request) -> Response:
    """``GET /queues``: the queues, the running jobs, the workers, and the errors of failed jobs."""
    context = context_of(request)
    connection, now = context.connection, context.now()
    queues = read_app_queues(connection, context.app, now)
    running, workers = read_running(connection), read_workers(connection)
    failing = [queue.name for queue in queues if queue.failed]
    names = [queue.name for queue in queues]
    trends = read_trends(connection, context.app, Of.QUEUE, names, Span.DAY, now)
    error_groups = read_groups(connection, failing, now=now, most=LOOKED_AT)
    return render(
        request,
        "queues.html",
        now=now,
        queues=queues,
        running=running[:LISTED],
        more_running=len(running[LISTED:]),
        workers=workers[:LISTED],
        more_workers=len(workers[LISTED:]),
        # A pause is not for them.
        others={
            queue.name: [
                worker.name
                for worker in workers
                if queue.name in worker.queues and not worker.supports_pauses
            ]
            for queue in queues
            if queue.paused
        },
        plots={drawn.trend.name: drawn.plot for drawn in draw(trends.values(), zone_of(request))},
        error_groups=error_groups,
        kept={},
        # Of the largest, in an order that does not change while somebody points at one.
        groups=sorted(error_groups.groups[:SHOWN], key=lambda group: (group.line, group.id)),
        message=message_of(request),
    )


def show_queue_pause(request: Request) -> Response:
    """``GET /pause-queue``: the form to pause ``queue``."""
    queue = _known(request, request.query_params.get("queue", ""))
    return render(request, "pause_queue.html", queue=queue)


def pause_one_queue(request: Request) -> Response:
    """``POST /pause-queue``: pause ``queue`` because of ``reason``, until it is resumed."""
    context, queue = context_of(request), _known(request, field(request, "queue"))
    new_pause = Pause(
        until=None,
        reason=request.state.form.get("reason", "").strip()[:LONGEST_REASON],
        by=request.state.person.name,
        since=int(context.now()),
    )
    with auditing(request, "pause queue", queue) as change:
        before = pause_queue(context.connection, queue, new_pause)
        change.before = objects.pause_object(before)
        change.after = objects.pause_object(new_pause)
    return finish(request, "pause", queue)


def resume_one_queue(request: Request) -> Response:
    """``POST /resume-queue``: end the pause of ``queue``."""
    context, queue = context_of(request), _known(request, field(request, "queue"))
    with auditing(request, "resume queue", queue) as change:
        change.before = objects.pause_object(resume_queue(context.connection, queue))
    return finish(request, "resume", queue)


def _known(request: Request, queue: str) -> str:
    context = context_of(request)
    if not is_queue(context.connection, context.app, queue):
        raise HTTPException(404, f"there is no queue {queue[:200]!r}")
    return queue
