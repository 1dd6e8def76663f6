"""The time by which a loop goes: the server's, this host's, or the caller's."""

from __future__ import annotations

import time
from collections.abc import Callable

from clock import log
from clock.errors import TimeSourceError
from clock.ledger.ledger import Ledger
from clock.ledger.lower import WAITED_OUT
from clock.ledger.time_source import TimeSource
from clock.loop.server_time import READ_EVERY, ServerTime


class Timekeeper:
    """The server's time, as long as the server may be asked for it; else that of this host.

    Where the caller gives a time of its own, as tests and simulations do, that is the time.
    """

    def __init__(
        self, ledger: Ledger, given: Callable[[], float] | None, server_time: ServerTime
    ) -> None:
        """``given`` is the caller's own time, in UTC seconds since 1970."""
        self._ledger = ledger
        self._given = given
        self._server_time = server_time
        self._source = TimeSource.SERVER
        self._recorded_at: float | None = None
        self._is_contradicted = False
        self._last_read = 0.0
        self.has_gone_back = False
        """Whether the server's time went back so far that records in the future are moved back. The
        caller that handles it resets it.
        """

    def read(self) -> None:
        """Ask for the server's time where that is due, and record this clock's time source.

        Raises ServerError, and TimeSourceError at the first call where another clock of the
        application takes the time from elsewhere.
        """
        if self._given is not None or not self._is_due():
            return
        is_first, self._recorded_at = self._recorded_at is None, time.monotonic()
        started = self._server_time.started()
        try:
            reading = self._ledger.read_time(self._source)
        except BaseException:
            self._recorded_at = None if is_first else self._recorded_at
            raise
        if self._source is TimeSource.SERVER:
            if reading.server is None:
                self._go_by_host()
                return
            self._apply(reading.server, started)
        self._check(reading.other, is_first)

    def now(self) -> float:
        """The present moment, in UTC seconds since 1970."""
        if self._given is not None:
            return self._given()
        return time.time() if self._source is TimeSource.HOST else self._server_time.now()

    def shown(self) -> float:
        """The present moment for the heartbeat: the server's also while it is not believed."""
        return self._server_time.newest() if self.is_held else self.now()

    @property
    def is_held(self) -> bool:
        """Whether nothing is to be decided now, because the server's time jumped."""
        return self._goes_by_server and self._server_time.is_held

    def decided_by(self) -> float | None:
        """The time by which the ledger is to decide, in UTC seconds since 1970; None for the
        server's.
        """
        return None if self._goes_by_server else self.now()

    def latest(self) -> float | None:
        """After when the server is to decide nothing of what is sent now; None for no limit."""
        return self._server_time.latest() if self._goes_by_server else None

    def started(self) -> float:
        """When a claim is about to be sent, for ``settled``."""
        return self._server_time.started()

    def settled(self, now: float, started: float, *, is_refused: bool) -> None:
        """A claim was decided at ``now``, or not because that was too late."""
        if self._goes_by_server:
            self._apply(now, started)
            if is_refused:
                self._server_time.refused()

    def _apply(self, server: float, started: float) -> None:
        self._server_time.read(server, started)
        now = self._server_time.now()
        self.has_gone_back |= now < self._last_read - WAITED_OUT
        self._last_read = now

    @property
    def _goes_by_server(self) -> bool:
        return self._given is None and self._source is TimeSource.SERVER

    def _is_due(self) -> bool:
        if self._recorded_at is None or time.monotonic() - self._recorded_at >= READ_EVERY:
            return True
        return self._goes_by_server and self._server_time.is_stale()

    def _go_by_host(self) -> None:
        self._source, self._recorded_at = TimeSource.HOST, None
        reason = "this user may not ask the server for its TIME; this host's clock decides"
        log.warning("server time", reason=reason)
        self.read()

    def _check(self, other: str | None, is_first: bool) -> None:
        if other is None:
            self._is_contradicted = False
            return
        reason = (
            f"this clock takes the time from the {self._source}, and the clock {other} of the same "
            "application does not; let both users ask the server for its TIME, or neither"
        )
        if is_first:
            raise TimeSourceError(reason)
        if not self._is_contradicted:
            self._is_contradicted = True
            log.error("time source", reason=reason)
