"""A clock inside an application: for one with a single process, for development, for tests.

In production the clock is a process of its own: an application server runs several processes,
starts and stops them as it likes, and a busy one would make the clock late. Nothing fires twice
even there, but every process asks the server and writes log lines.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from clock import log
from clock.log import fields_shown
from clock.loop.token import process_token
from clock.schedule.schedule import Schedule
from clock.settings import CONDITION_TIMEOUT
from clock.stop import Stop

if TYPE_CHECKING:
    from redis import Redis

STOP_WITHIN = 3.0
"""Seconds that ``stop`` waits for the current claim: as long as a server has to answer it."""


class Clock:
    """A clock that runs in a thread of this process and takes no signals.

    It enqueues what ``schedule`` says on the server of ``connection``, as the application ``app``,
    with the ``serializer`` that the workers use. A condition has ``condition_timeout`` seconds for
    its answer. Two clocks can live in one process. Its log lines go to the logger ``clock``, with
    their fields in the message.
    """

    def __init__(
        self,
        schedule: Schedule,
        connection: Redis,
        *,
        app: str = "clock",
        serializer: str = "pickle",
        condition_timeout: float = CONDITION_TIMEOUT,
    ) -> None:
        self._schedule = schedule
        self._connection = connection
        self._app = app
        self._serializer = serializer
        self._condition_timeout = condition_timeout
        self._lock = threading.Lock()
        self._stop: Stop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the clock; does nothing where it runs already."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop = Stop()
            self._thread = threading.Thread(
                target=self._run, args=(self._stop,), name="clock", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Finish the current claim and stop the clock; does nothing where it does not run.

        Waits ``STOP_WITHIN`` seconds for a server that does not answer. Then this is logged, and
        the thread ends by itself when the server answers, without another claim. In a fork of the
        process there is no clock, and the parent's goes on.
        """
        with self._lock:
            if self._thread is None or self._stop is None:
                return
            self._stop.set()
            self._thread.join(STOP_WITHIN)
            if self._thread.is_alive():
                reason = f"the server did not answer the current claim within {STOP_WITHIN:g} s"
                log.warning("abandoned", reason=reason)
            self._thread = self._stop = None

    @contextmanager
    def running(self) -> Iterator[Clock]:
        """The clock runs while the block does."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @asynccontextmanager
    async def lifespan(self, _application: object = None) -> AsyncIterator[None]:
        """The clock runs while an ASGI application does: ``Starlette(lifespan=clock.lifespan)``."""
        import asyncio

        self.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop)

    def _run(self, stop: Stop) -> None:
        # Imported here, so that reading a schedule does not import Redis and RQ.
        from clock.connection.client import copy_client
        from clock.ledger.ledger import Ledger
        from clock.loop.heartbeat import Heartbeat
        from clock.loop.loop import Loop
        from clock.sources import asking_sources

        own: dict[str, Any] = {
            "app": self._app,
            "token": process_token(),
            "serializer": self._serializer,
        }
        with fields_shown():
            try:
                connection = copy_client(self._connection)
                with asking_sources(connection, self._schedule, **own) as rows:
                    Loop(
                        list(self._schedule.events.values()),
                        Ledger(connection, has_sources=bool(self._schedule.sources), **own),
                        stop,
                        heartbeat=Heartbeat(connection, self._schedule, **own),
                        condition_timeout=self._condition_timeout,
                        rows=rows,
                    ).run()
            except BaseException:  # SystemExit would end the thread silently
                log.critical("crashed")
