"""The JSON API, under ``/api/v1``. Its routes need ``request.app.state.clock``, a Context."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from clock.web.api import (
    actions,
    audit,
    backfill,
    enqueueing,
    events,
    job,
    jobs,
    pauses,
    queues,
    rows,
    runs,
    stream,
    trends,
    why,
)
from clock.web.api.deprecation import deprecated
from clock.web.api.description import describe
from clock.web.api.etag import with_etag
from clock.web.api.operation import Operation, route
from clock.web.api.reference import reference
from clock.web.error_response import ROOT

_ON_EVENTS = (*events.OPERATIONS, *runs.OPERATIONS, *actions.OPERATIONS)

OPERATIONS = (
    *_ON_EVENTS,
    *why.OPERATIONS,
    *pauses.OPERATIONS,
    *backfill.OPERATIONS,
    *rows.OPERATIONS,
    *deprecated(_ON_EVENTS),
    *queues.OPERATIONS,
    *jobs.OPERATIONS,
    *job.OPERATIONS,
    *enqueueing.OPERATIONS,
    *audit.OPERATIONS,
    *stream.OPERATIONS,
    *trends.OPERATIONS,
)


def _openapi(request: Request) -> Response:
    # The application may be mounted under a prefix.
    text = json.dumps(describe(OPERATIONS, request.scope["root_path"]), ensure_ascii=False)
    return with_etag(request, text.encode(), "application/json")


def _docs(request: Request) -> Response:
    description = describe(OPERATIONS, request.scope["root_path"])
    page = reference(description, request.scope[ROOT])
    return with_etag(request, page.encode(), "text/html")


def _ordered() -> list[Operation]:
    """The operations in the order of routing. A name may contain a slash, so a path that ends in a
    name also matches the longer ones.
    """
    return sorted(OPERATIONS, key=lambda operation: operation.path.endswith("{name}"))


_api = Router(
    [
        Route("/openapi.json", _openapi, methods=["GET"]),
        Route("/docs", _docs, methods=["GET"]),
        *map(route, _ordered()),
    ],
    redirect_slashes=False,
)

routes: list[BaseRoute] = [Mount("/api/v1", app=_api)]
