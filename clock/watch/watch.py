"""The watch: all that a running clock tells the ledger about itself, after each pass."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version

from redis import Redis

from clock.errors import LedgerError
from clock.ledger.clocks import BEAT_EVERY, Life, Pulse
from clock.ledger.descriptions import describe
from clock.ledger.ledger import Outcome
from clock.ledger.tally import Tally
from clock.observe.overdue import TOLERANCE
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule
from clock.watch.publisher import Publisher
from clock.watch.self_check import SelfCheck
from clock.watchers.clock_ping import ClockPing

RENEWED_EVERY = 86_400
"""Seconds after which the descriptions are written again, so that a clock that runs for years does
not outlive them."""


class Watch:
    """Says that a clock is alive and what it runs, and looks whether it does it.

    The loop calls it from its own thread: what it says is said by a loop that goes round.
    """

    def __init__(
        self,
        connection: Redis,
        schedule: Schedule,
        *,
        app: str,
        token: str,
        serializer: str,
        tolerance: float = TOLERANCE,
        ping: ClockPing | None = None,
    ) -> None:
        """``tolerance`` is how many seconds an event may be overdue before it is an error; ``ping``
        tells a watcher outside.
        """
        self._ping = ping
        self._connection = connection
        self._app = app
        self._schedule = schedule
        self._events: Sequence[Event] = list(schedule.events.values())
        self._token = token
        self._serializer = serializer
        self._publisher = Publisher(connection, app, self._events)
        self._tally = Tally(connection, app)
        self._check = SelfCheck(connection, app, self._events, tolerance)
        self._pulse: Pulse | None = None
        self._described: float | None = None

    def passed(self, now: float) -> None:
        """A pass over what was due ended at ``now``, UTC seconds since 1970. Raises
        LedgerError.
        """
        if self._pulse is None:
            pulse = Pulse(self._connection, self._app, self._life(now))
            pulse.begin()
            self._pulse = pulse
        elif not 0 <= now - self._pulse.life.last_tick < BEAT_EVERY:
            if not self._pulse.beat(now):
                # The server lost its data.
                self._described = None
                self._publisher.renew()
            self._tally.write()
        if self._described is None or not 0 <= now - self._described < RENEWED_EVERY:
            describe(self._connection, self._app, self._schedule.path, self._events, now)
            self._described = now
        self._publisher.passed(now)
        self._check.passed(now, self._pulse.life.there_since)
        if self._ping is not None:
            self._ping.passed(now, self._check.is_overdue)

    def claimed(self, outcomes: Sequence[Outcome], claimed_at: float) -> None:
        """Claims were made at ``claimed_at``, and this became of them. Nothing is sent."""
        self._tally.add(outcomes, claimed_at)

    def ended(self, now: float) -> None:
        """The clock ends because it was asked to. A server that is away need not know."""
        if self._pulse is not None:
            with suppress(LedgerError):
                self._tally.write()
                self._pulse.end(now)

    def _life(self, now: float) -> Life:
        host, pid, _ = self._token.rsplit(":", 2)
        return Life(
            token=self._token,
            host=host,
            pid=int(pid),
            version=version("rq-clock"),
            file=self._schedule.path,
            serializer=self._serializer,
            zone=self._schedule.zone.name,
            events=len(self._events),
            started=now,
            last_tick=now,
        )
