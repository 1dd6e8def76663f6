"""The thread that follows the rows in force, and asks the sources of a schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from redis import Redis

from clock import log
from clock.errors import ServerError, describe_error
from clock.inside import inside_the_clock
from clock.ledger.row_lines import RowLines
from clock.ledger.rows import Rows
from clock.ledger.stored import StoredRows
from clock.ledger.time_source import server_now
from clock.loop.housekeeping import REFUSALS
from clock.loop.row_changes import RowChanges
from clock.loop.side_threads import SideThreads
from clock.schedule.schedule import Schedule
from clock.sources.asking import TIMEOUT, Asking, Moment
from clock.sources.mirror import Mirror

WAITED = 0.5
"""Seconds in which it waits for a change of rows before it looks what else is to be done."""

BRIEFLY = 0.05
"""The same while a source is asked."""

AGAIN = 1.0
"""Seconds after which it tries again where the server is away."""

ENDS_WITHIN = 1.0
"""Seconds for which the end of a clock waits for the thread."""


class SourceService:
    """Keeps ``changes`` supplied with the rows of the sources of ``schedule``.

    It needs a ``connection`` of its own. ``now`` returns UTC seconds since 1970 by the time that
    decides; without it the server is asked.
    """

    def __init__(
        self,
        connection: Redis,
        schedule: Schedule,
        *,
        app: str,
        token: str,
        serializer: str,
        timeout: float = TIMEOUT,
        now: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changes = RowChanges()
        self._connection = connection
        self._schedule = schedule
        self._own = {"app": app, "token": token}
        self._timeout = timeout
        self._now = now
        self._monotonic = monotonic
        self._lines = RowLines(serializer)
        self._rows = Rows(connection, app=app, serializer=serializer)
        self._stored = StoredRows(connection, app)
        self._stored_lines: Mapping[bytes, bytes] = {}
        self._mirror = Mirror(self._rows, self._lines, self.changes, schedule.sources.keys())
        self._threads = SideThreads()
        self._askings: dict[str, Asking] | None = None
        self._stop = threading.Event()
        self._last_error = ""
        self.changes.renew = self._mirror.renew

    @contextmanager
    def running(self) -> Iterator[None]:
        """The thread runs while the block does."""
        thread = threading.Thread(target=self._run, name="clock: sources", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(ENDS_WITHIN)

    def step(self, seconds: float) -> None:
        """Follow the rows, waiting ``seconds`` for a change at most, and ask what is due. Raises
        ServerError.
        """
        if self._askings is None:
            self._askings = self._begin()
        self._mirror.follow(seconds, self._moment().now)
        self._follow_stored(self._askings)
        for returned in self._threads.answers(len(self._askings)):
            self._askings[str(returned.key)].handle(returned, self._moment())
        for asking in self._askings.values():
            asking.step(self._moment())

    def _follow_stored(self, askings: Mapping[str, Asking]) -> None:
        """Ask sources whose rows people edited; put these rows back where the server lost them."""
        if not any(asking.is_stored for asking in askings.values()):
            return
        if self._mirror.is_lost:
            self._stored.restore(self._stored_lines, self._moment().now)
            self._mirror.is_lost = False
        if self._mirror.are_stored_changed:
            self._stored_lines = self._stored.lines()
            self._mirror.are_stored_changed = False
            for asking in askings.values():
                if asking.is_stored:
                    asking.ask_now()

    @property
    def is_waiting(self) -> bool:
        """Whether a source was asked and has not answered."""
        return any(asking.is_waiting for asking in (self._askings or {}).values())

    def end(self) -> None:
        """Let other clocks ask the sources at once. Raises ServerError."""
        for asking in (self._askings or {}).values():
            asking.let_go()

    def _run(self) -> None:
        with inside_the_clock():
            while not self._stop.is_set():
                try:
                    self.step(BRIEFLY if self.is_waiting else WAITED)
                    self._last_error = ""
                except ServerError as error:
                    # What concerns the whole server is logged by the loop.
                    if error.kind in REFUSALS:
                        self._log(str(error))
                    self._stop.wait(AGAIN)
                except Exception as error:  # a clock goes on with the rows it has
                    self._log(describe_error(error))
                    self._stop.wait(AGAIN)
            with suppress(ServerError):
                self.end()

    def _begin(self) -> dict[str, Asking]:
        started = self._moment().now
        return {
            name: Asking(
                source=source,
                schedule=self._schedule,
                connection=self._connection,
                started=started,
                rows=self._rows,
                stored=self._stored,
                mirror=self._mirror,
                lines=self._lines,
                threads=self._threads,
                timeout=self._timeout,
                **self._own,
            )
            for name, source in self._schedule.sources.items()
        }

    def _moment(self) -> Moment:
        now = server_now(self._connection, time.time()) if self._now is None else self._now()
        return Moment(now, self._monotonic(), None if self._now is None else now)

    def _log(self, reason: str) -> None:
        if reason != self._last_error:
            self._last_error = reason
            names = ", ".join(self._schedule.sources)
            log.error("trouble", source=names, reason=reason)
