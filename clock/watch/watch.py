"""The watch: all that a running clock tells the ledger about itself, after each pass."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from redis import Redis

from clock.errors import LedgerError
from clock.ledger.clocks import BEAT_EVERY, Life, Pulse
from clock.ledger.descriptions import describe_in_parts
from clock.ledger.ledger import Outcome
from clock.ledger.tally import Tally
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule
from clock.settings import TOLERANCE
from clock.version import VERSION
from clock.watch.publisher import Publisher
from clock.watch.self_check import SelfCheck

if TYPE_CHECKING:
    from clock.watchers.clock_ping import ClockPing

RENEWED_EVERY = 86_400
"""Seconds after which the descriptions are written again, so that a clock that runs for years does
not outlive them."""

OUR_OWN = frozenset({"NoPermissionError", "ResponseError WRONGTYPE"})
"""Kinds of LedgerError that say nothing of the server: it lets the clock claim, and refuses what
the watch asks."""

LONGEST = 300
"""Characters of a reason; the client's errors may quote a whole command."""

log = logging.getLogger("clock")


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
        self._connection = connection
        self._app = app
        self._schedule = schedule
        self._events: Sequence[Event] = list(schedule.events.values())
        self._token = token
        self._serializer = serializer
        self._publisher = Publisher(connection, app, self._events)
        self._tally = Tally(connection, app)
        self._check = SelfCheck(connection, app, self._events, tolerance)
        self._ping = ping
        self._pulse: Pulse | None = None
        self._described: float | None = None
        self._counted = 0.0
        self._may_count = True
        self._in_trouble: set[int] = set()
        self._part = 0
        self._may_go_on: Callable[[], bool] = lambda: True
        self._describing: Iterator[None] = iter(())

    def passed(
        self,
        now: float,
        *,
        is_starting: bool = False,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """A pass over what was due ended at ``now``, UTC seconds since 1970. What is not done when
        it may no longer go on is left to the next pass. While the clock ``is_starting``, nothing
        but that it lives is said.

        Raises LedgerError where the server is away, and for nothing else: what is only wrong with
        what the watch writes or reads is logged once, and the loop goes on.
        """
        parts = (
            self._note,
            self._describe,
            self._publisher.passed,
            self._look,
            self._count,
            self._tell,
        )
        self._may_go_on = may_go_on
        while True:
            number = self._part
            self._part = (number + 1) % (1 if is_starting else len(parts))
            try:
                parts[number](now)
            except LedgerError as error:
                if error.kind not in OUR_OWN:
                    self._part = 0
                    raise
                self._complain(number, str(error))
            except Exception as error:  # nothing that is only said of a clock may end it
                self._complain(number, f"{type(error).__name__}: {error}")
            else:
                self._in_trouble.discard(number)
            if self._part == 0 or not may_go_on():
                return

    def claimed(self, outcomes: Sequence[Outcome], claimed_at: float) -> None:
        """Claims were made at ``claimed_at``, and this became of them. Nothing is sent."""
        self._tally.add(outcomes, claimed_at)

    def ended(self, now: float) -> None:
        """The clock ends because it was asked to. A server that is away need not know."""
        if self._pulse is not None:
            with suppress(LedgerError):
                self._pulse.end(now)
                self._tally.write()

    def _note(self, now: float) -> None:
        if self._pulse is None:
            pulse = Pulse(self._connection, self._app, self._life(now))
            pulse.begin()
            self._pulse = pulse
        elif not 0 <= now - self._pulse.life.last_tick < BEAT_EVERY and not self._pulse.beat(now):
            # The server lost its data.
            self._described = None
            self._publisher.renew()

    def _describe(self, now: float) -> None:
        if self._described is None or not 0 <= now - self._described < RENEWED_EVERY:
            self._described = now
            self._describing = describe_in_parts(
                self._connection, self._app, self._schedule.path, self._events, now
            )
        try:
            for _ in self._describing:
                if not self._may_go_on():
                    break
        except LedgerError as error:
            if error.kind not in OUR_OWN:
                self._described = None
            raise

    def _look(self, now: float) -> None:
        there_since = now if self._pulse is None else self._pulse.life.there_since
        self._check.passed(now, there_since)

    def _count(self, now: float) -> None:
        if not self._may_count or 0 <= now - self._counted < BEAT_EVERY:
            return
        self._counted = now
        try:
            self._tally.write()
        except LedgerError as error:
            self._may_count = error.kind not in OUR_OWN
            raise

    def _tell(self, now: float) -> None:
        if self._ping is not None:
            self._ping.passed(now, is_well=not self._check.is_overdue)

    def _complain(self, part: int, reason: str) -> None:
        """Say what is wrong with a part, once as long as something is."""
        if part not in self._in_trouble:
            self._in_trouble.add(part)
            log.error("watch", extra={"fields": {"reason": reason[:LONGEST]}})

    def _life(self, now: float) -> Life:
        host, pid, _ = self._token.rsplit(":", 2)
        return Life(
            token=self._token,
            host=host,
            pid=int(pid),
            version=VERSION,
            file=self._schedule.path,
            serializer=self._serializer,
            zone=self._schedule.zone.name,
            events=len(self._events),
            started=now,
            last_tick=now,
        )
