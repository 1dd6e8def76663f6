"""The heartbeat of a clock: what it writes to the ledger about itself after each tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

    from clock.ledger.ledger import ClaimResult
    from clock.loop.housekeeping import Housekeeping
    from clock.schedule.schedule import Schedule


class Heartbeat:
    """Does the housekeeping of a clock, whose code is imported after the first tick, which does
    not wait for it.
    """

    def __init__(self, connection: Redis, schedule: Schedule, **options: Any) -> None:
        """``options``: see ``Housekeeping``."""
        self._connection = connection
        self._schedule = schedule
        self._options = options
        self._housekeeping: Housekeeping | None = None
        self._claims: list[tuple[Sequence[ClaimResult], float]] = []

    def beat(self, now: float, *, is_starting: bool, may_go_on: Callable[[], bool]) -> None:
        """Called after each tick. Arguments and errors are those of ``Housekeeping.run``."""
        self.housekeeping().run(now, is_starting=is_starting, may_go_on=may_go_on)

    def claimed(self, results: Sequence[ClaimResult], claimed_at: float) -> None:
        """Count the ``results`` of claims made at ``claimed_at``. Nothing is sent."""
        if self._housekeeping is None:
            self._claims.append((results, claimed_at))
        else:
            self._housekeeping.claimed(results, claimed_at)

    def recover(self, now: float) -> None:
        """Write pauses back where the server lost them. Raises ServerError."""
        if self._housekeeping is not None:
            self._housekeeping.recover(now)

    def ended(self, now: float) -> None:
        """Record that the clock ended because it was asked to."""
        if self._housekeeping is not None:
            self._housekeeping.ended(now)

    def housekeeping(self) -> Housekeeping:
        """What does the work, made by the first call."""
        if self._housekeeping is None:
            from clock.loop.housekeeping import Housekeeping

            self._housekeeping = Housekeeping(self._connection, self._schedule, **self._options)
            for results, claimed_at in self._claims:
                self._housekeeping.claimed(results, claimed_at)
            self._claims.clear()
        return self._housekeeping
