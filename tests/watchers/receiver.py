"""A receiver of pings and webhooks on this machine: it notes what it hears, and may leave it
unanswered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Heard(NamedTuple):
    """A request: its path, its run id, its body, its headers by their names in lower case."""

    path: str
    run: str | None
    body: bytes
    headers: Mapping[str, str] = {}


class Receiver:
    """Answers 200 to everything, or ``status``; while it ``hangs`` it takes a request and never
    answers.
    """

    def __init__(self, *, hangs: bool = False, status: int = 200) -> None:
        self.heard: list[Heard] = []
        self.hangs, self.status = hangs, status
        self._release = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                parts = urlsplit(self.path)
                run = parse_qs(parts.query).get("rid", [None])[0]
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.heard.append(Heard(parts.path, run, body, headers))
                if receiver.hangs:
                    receiver._release.wait(60)
                    return
                self.send_response(receiver.status)
                if 300 <= receiver.status < 400:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/key-123"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.heard]

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiver(*, hangs: bool = False, status: int = 200) -> Iterator[Receiver]:
    """A receiver while the block runs."""
    made = Receiver(hangs=hangs, status=status)
    made.start()
    try:
        yield made
    finally:
        made.stop()
