"""An application served on a port by a thread of this process, and who listens to its stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx
import uvicorn
from starlette.types import ASGIApp

from clock.web.protocol import BoundedProtocol
from clock.web.serve import listen

STREAM = "/api/v1/stream"


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve ``app`` for the time of the block; gives its address."""
    config = uvicorn.Config(
        app, http=BoundedProtocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with listen("127.0.0.1", [0]) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Sent(NamedTuple):
    """A message of a stream."""

    id: str
    kind: str
    data: Any


class Stream:
    """An open event stream. ``last`` is the id that a browser would send to open it again."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last = ""
        self._lines = response.iter_lines()
        self._block()

    def next(self) -> Sent:
        """The next message. Raises EOFError at the end."""
        while True:
            block = self._block()
            if "data" in block:
                return Sent(block["id"], block["event"], json.loads(block["data"]))

    def beat(self) -> None:
        """Read until the next comment."""
        while "" not in self._block():
            pass

    def rest(self) -> list[Sent]:
        """The messages until the stream ends."""
        messages = []
        with suppress(EOFError):
            while True:
                messages.append(self.next())
        return messages

    def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := next(self._lines, None):
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        if line is None:
            raise EOFError
        self.last = fields.get("id", self.last)
        return fields


@contextmanager
def listening(
    url: str, types: str | None = None, *, last: str | None = None, **options: Any
) -> Iterator[Stream]:
    """Open the stream at ``url``; nothing of it may take longer than ten seconds."""
    headers = options.pop("headers", {}) | ({} if last is None else {"last-event-id": last})
    params = {} if types is None else {"types": types}
    with httpx.stream(
        "GET", url + STREAM, params=params, headers=headers, timeout=10, **options
    ) as response:
        assert response.status_code == 200, response.read()
        yield Stream(response)
