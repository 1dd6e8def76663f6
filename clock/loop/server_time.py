"""The server's time: what decides when an occurrence is due, whatever this host's clock says.

Between two readings of it this host's monotonic clock carries it on. A reading bounds it: at the
moment the reply was received the server's time was at least what the reply says, and at the moment
the request was sent at most that. The estimate moves only when a reading proves it wrong, and so
converges on the server's time less the shortest way back of a reply.

A server whose time jumps (its clock was set, or a failover led to another host) decides nothing
until this host's wall clock agrees with it, or ``HOLD`` seconds have passed: one of the two is
wrong, and what is recorded cannot be taken back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from clock import log

READ_EVERY = 5.0
"""Seconds between two readings of a clock that claims nothing meanwhile."""

STEP = 1.0
"""Seconds by which a reading must contradict the estimate to count as a jump: monotonic clocks
drift by some hundred microseconds between two readings."""

AGREES = 1.0
"""Seconds within which the wall clock agrees with the server; beyond, its offset is a warning."""

HOLD = 300.0
"""Seconds after which a jump is believed although the wall clock does not agree with it."""


class ServerTime:
    """An estimate of the server's time. Instants are UTC seconds since 1970."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        hold: float = HOLD,
    ) -> None:
        """``hold`` is in seconds, see ``HOLD``."""
        self._monotonic = monotonic
        self._wall = wall
        self._hold = hold
        self._offset: float | None = None  # server's time less the monotonic clock's
        self.wall_offset = 0.0
        """Seconds by which this host's wall clock is ahead of the server."""
        self._read_at = 0.0
        self._wall_at = 0.0
        self._last = 0.0
        self._jumped_at: float | None = None
        self._patience = STEP
        self._is_warned = False

    def now(self) -> float:
        """The server's time; the wall clock's before the first reading."""
        return self._wall() if self._offset is None else self._monotonic() + self._offset

    def newest(self) -> float:
        """The server's time as it was read last, carried on: also while it is held."""
        return self._last + self._monotonic() - self._read_at

    def latest(self) -> float:
        """The latest time at which the server may execute what is sent now. Later, its time must
        have jumped, or the request was on its way for too long; both decide nothing.
        """
        return self.now() + self._patience

    @property
    def is_held(self) -> bool:
        """Whether the server's time jumped, and nothing is to be decided by it yet."""
        return self._jumped_at is not None

    def is_stale(self) -> bool:
        """Whether the server is to be asked again: after ``READ_EVERY`` seconds, while it is held,
        and where the wall clock jumped, as it does when a suspended host wakes.
        """
        if self._offset is None or self.is_held:
            return True
        now = self._monotonic()
        moved = (self._wall() - self._wall_at) - (now - self._read_at)
        return now - self._read_at >= READ_EVERY or abs(moved) > STEP

    def started(self) -> float:
        """The monotonic instant, in seconds, at which a request is about to be sent."""
        return self._monotonic()

    def refused(self) -> None:
        """A request reached the server later than ``latest`` allowed."""
        # Where readings find no jump, the line is that slow, and must not be refused for ever.
        self._patience = min(2 * self._patience, HOLD)

    def read(self, server: float, started: float) -> None:
        """The server replied with its time, ``server``, to a request sent at ``started``."""
        received, wall = self._monotonic(), self._wall()
        low, high = server - received, server - started
        before = self._offset
        estimate = low if before is None else min(max(before, low), high)
        wall_offset = wall - (received + estimate)
        if before is not None and abs(estimate - before) > STEP:
            if not self._believes(estimate - before, wall_offset, received):
                self._last, self._read_at, self._wall_at = server, received, wall
                return
        elif self.is_held:
            log.info("server time", reason="it is again what it was")
        self._offset, self.wall_offset, self._jumped_at = estimate, wall_offset, None
        self._last, self._read_at, self._wall_at = server, received, wall
        self._warn()

    def _believes(self, jump: float, wall_offset: float, now: float) -> bool:
        """Whether this host's wall clock agrees with a jump by ``jump`` seconds, or it is old."""
        agrees = abs(wall_offset) <= AGREES or abs(wall_offset - self.wall_offset) <= AGREES
        if self._jumped_at is None and not agrees:
            self._jumped_at = now
            reason = (
                f"the server's time jumped by {jump:+.3f} s, and this host's clock does not agree; "
                f"nothing is enqueued until it does, for {self._hold:g} s at most"
            )
            log.error("server time", jump=round(jump, 3), reason=reason)
        if agrees or (self._jumped_at is not None and now - self._jumped_at >= self._hold):
            log.warning("server time", jump=round(jump, 3), reason="it jumped; it is followed")
            return True
        return False

    def _warn(self) -> None:
        """Log that the wall clock is off, and later that it is right again."""
        is_off = abs(self.wall_offset) > AGREES
        if is_off == self._is_warned:
            return
        self._is_warned = is_off
        offset = round(self.wall_offset, 3)
        if is_off:
            side = "ahead of" if offset > 0 else "behind"
            reason = f"this host's clock is {abs(offset)} s {side} the server's, which decides"
            log.warning("wall clock", offset=offset, reason=reason)
        else:
            log.info("wall clock", offset=offset, reason="it is right again")
