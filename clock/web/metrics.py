"""``/metrics``: the ledger at the moment of the scrape, so it stays true when no clock is alive."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clock.errors import ServerError
from clock.web.context import Context
from clock.web.families import families
from clock.web.scrape import Scrape, read_scrape


class _Read(Collector):
    def __init__(self, scrape: Scrape | None) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        """The metrics, called by prometheus-client."""
        return families(self._scrape)


def _metrics(request: Request) -> Response:
    context: Context = request.app.state.clock
    scrape: Scrape | None
    try:
        scrape = read_scrape(context.answering(), context.app, context.now(), context.tolerance)
    except ServerError:
        scrape = None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(scrape))
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=kind)


routes: list[BaseRoute] = [Route("/metrics", _metrics, methods=["GET"])]
