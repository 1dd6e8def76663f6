"""Pings in the style of healthchecks.io: a URL is requested when all is well, with ``/start`` when
a run begins, and with ``/fail`` when it failed; ``?rid=`` identifies the run.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from clock import log

TIMEOUT = 2.0
"""Seconds a receiver has to take a ping."""

WAITING = 20
"""Pings that may wait to be sent; beyond that, new ones are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One ping: URL, signal (``""``, ``"start"`` or ``"fail"``), run, and a line of text for a
    person. The URL is a secret: it is never logged.
    """

    url: str
    signal: str
    run: UUID
    text: str = ""

    @property
    def address(self) -> str:
        """The URL that is requested."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/") + (f"/{self.signal}" if self.signal else "")
        query = "&".join(filter(None, (parts.query, urlencode({"rid": str(self.run)}))))
        return urlunsplit(parts._replace(path=path, query=query))


def run_id(text: str) -> UUID:
    """A run id: equal for equal texts."""
    return uuid5(NAMESPACE_URL, f"rq-clock:{text}")


class Sender:
    """Sends pings one after another from a thread of its own, which never holds up a process that
    ends. No method waits for a receiver but ``finish``.
    """

    def __init__(self, timeout: float = TIMEOUT, waiting: int = WAITING) -> None:
        """``timeout`` is how many seconds a receiver has."""
        self._timeout = timeout
        self._pings: queue.Queue[Ping | None] = queue.Queue(waiting)
        self._thread: threading.Thread | None = None
        self._is_refused = False

    def send(self, ping: Ping) -> bool:
        """Queue ``ping``; returns False where it is dropped, because too many wait."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="clock-pings", daemon=True)
            self._thread.start()
        try:
            self._pings.put_nowait(ping)
        except queue.Full:
            return False
        return True

    def finish(self, within: float) -> bool:
        """Wait until what is queued is sent or refused, ``within`` seconds at most; returns whether
        it was. Nothing can be sent afterwards.
        """
        if self._thread is None:
            return True
        try:
            self._pings.put_nowait(None)
        except queue.Full:
            return False
        self._thread.join(within)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (ping := self._pings.get()) is not None:
            self._send(ping)

    def _send(self, ping: Ping) -> None:
        # Imported here: most clocks and workers send no pings.
        from urllib.request import Request, urlopen

        try:
            # Only http and https: the settings allow no other scheme.
            request = Request(ping.address, data=ping.text.encode(), method="POST")  # noqa: S310
            request.add_header("user-agent", "rq-clock")
            with urlopen(request, timeout=self._timeout):  # noqa: S310
                self._is_refused = False
        except Exception as error:  # a receiver that cannot be reached, or answers with anything
            if not self._is_refused:
                self._is_refused = True
                host = urlsplit(ping.url).hostname
                log.warning("ping failed", host=host, reason=type(error).__name__)
