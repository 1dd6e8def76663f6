"""Housekeeping: all that a running clock writes to the ledger about itself, after each tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat

from redis import Redis

from clock.errors import MAX_TEXT, ServerError, describe_error
from clock.ledger.clocks import BEAT_EVERY, Heard, Life, Pulse
from clock.ledger.counters import Counters
from clock.ledger.descriptions import describe
from clock.ledger.ledger import ClaimResult
from clock.loop.conflicts import ConflictCheck
from clock.loop.known_pauses import KnownPauses
from clock.loop.publisher import Publisher
from clock.loop.self_check import SelfCheck
from clock.loop.trouble import Trouble
from clock.schedule.event import Event
from clock.schedule.schedule import Schedule
from clock.settings import CONFLICT_AFTER, TOLERANCE
from clock.version import VERSION
from clock.watchers.clock_ping import ClockPing

LAST_PARTS = 20
"""Commands that still write what is counted when the clock was asked to end; each takes some
milliseconds.
"""

RENEWED_EVERY = 86_400
"""Seconds after which the descriptions are written again, so that a clock that runs for years does
not outlive them."""

REFUSALS = frozenset({"NoPermissionError", "ResponseError WRONGTYPE"})
"""Kinds of ServerError that concern the housekeeping alone: the server lets the clock claim."""


class Housekeeping:
    """Records that a clock is alive and what it runs, and checks that it does.

    The loop calls it from its own thread, so a clock recorded as alive has a loop that runs.
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
        conflict_after: float = CONFLICT_AFTER,
        ping_url: str | None = None,
    ) -> None:
        """``tolerance`` is how many seconds an event may be overdue before it is an error, and
        ``conflict_after`` how many two clocks may declare one differently; ``ping_url`` is
        requested while all is well.
        """
        self._connection = connection
        self._app = app
        self._schedule = schedule
        self._events: Sequence[Event] = list(schedule.events.values())
        self._token = token
        self._serializer = serializer
        self._publisher = Publisher(connection, app, self._events)
        self._counters = Counters(connection, app)
        published = self._publisher.published
        self._self_check = SelfCheck(connection, app, self._events, tolerance, published)
        self._conflicts = ConflictCheck(connection, app, self._events, serializer, conflict_after)
        self._ping = None if ping_url is None else ClockPing(ping_url, token)
        self._pauses = KnownPauses(connection, app, self._events)
        self._pulse: Pulse | None = None
        self._lost: tuple[Heard, Life] | None = None
        self._described: float | None = None
        self._counted = 0.0
        self._may_count = True
        self._trouble = Trouble()
        self._next_part = 0
        self._may_go_on: Callable[[], bool] = lambda: True
        self._describing: Iterator[None] = iter(())

    def run(
        self,
        now: float,
        *,
        is_starting: bool = False,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """A tick ended at ``now``, UTC seconds since 1970. What is not done once it may not go on
        waits for the next tick. While the clock ``is_starting``, it only writes that it lives.

        Raises ServerError where the server is away. Other errors are logged once an hour, and the
        loop goes on.
        """
        parts = (
            self._beat,
            self._describe,
            self._publisher.publish,
            self._check_overdue,
            self._check_conflicts,
            self._write_counters,
            self._send_ping,
        )
        self._may_go_on = may_go_on
        while True:
            part = self._next_part
            # Where the server is away, the next tick begins with the heartbeat.
            self._next_part = 0
            self._do(parts[part], now)
            self._next_part = (part + 1) % (1 if is_starting else len(parts))
            if self._next_part == 0 or not may_go_on():
                break
        self._trouble.log_repeats(now)

    def recover(self, now: float) -> None:
        """Write pauses back where the server lost data, before anything fires: to be called where
        the server was away, or does not know an event. Raises as ``run`` does.
        """
        try:
            self._do(self._recover, now)
        except ServerError as error:
            # A server that refuses this may well accept what the loop does next.
            if not error.kind.startswith("ResponseError"):
                raise
            self._log("_recover", str(error), now)

    def claimed(self, results: Sequence[ClaimResult], claimed_at: float) -> None:
        """Count the ``results`` of claims made at ``claimed_at``. Nothing is sent."""
        if self._may_count:
            self._counters.add(results, claimed_at)

    def ended(self, now: float) -> None:
        """Record that the clock ended because it was asked to, if the server can be reached."""
        if self._pulse is not None:
            with suppress(ServerError):
                self._pulse.end(now)
                self._counters.write(partial(next, repeat(True, LAST_PARTS), False))

    def _do(self, part: Callable[[float], None], now: float) -> None:
        try:
            part(now)
        except ServerError as error:
            if error.kind not in REFUSALS:
                raise
            self._log(part.__name__, str(error), now)
        except Exception as error:  # housekeeping must not end a clock
            self._log(part.__name__, describe_error(error), now)

    def _beat(self, now: float) -> None:
        if self._pulse is None:
            pulse = Pulse(self._connection, self._app, self._life(now))
            self._pauses.keep(pulse.begin().pauses)
            self._pulse = pulse
        elif not 0 <= now - self._pulse.life.last_tick < BEAT_EVERY:
            life = self._pulse.life
            self._handle_reply(self._pulse.beat(now), life, now)

    def _recover(self, now: float) -> None:
        if self._pulse is not None:
            self._handle_reply(self._pulse.look(), self._pulse.life, now)

    def _handle_reply(self, heard: Heard, life: Life, now: float) -> None:
        if heard.is_lost:
            self._lost = (heard, life)
            self._described = None
            self._publisher.renew()
            self._conflicts.renew()
        if self._lost is None:
            self._pauses.keep(heard.pauses)
            return
        # Kept until it is done: the server may go away again in the middle of it.
        self._pauses.recover(*self._lost, now)
        self._lost = None

    def _describe(self, now: float) -> None:
        if self._described is None or not 0 <= now - self._described < RENEWED_EVERY:
            self._described = now
            self._describing = describe(
                self._connection, self._app, self._schedule.path, self._events, now
            )
        try:
            for _ in self._describing:
                if not self._may_go_on():
                    break
        except ServerError as error:
            if error.kind not in REFUSALS:
                self._described = None
            raise

    def _check_overdue(self, now: float) -> None:
        there_since = now if self._pulse is None else self._pulse.life.there_since
        self._self_check.check(now, there_since)

    def _check_conflicts(self, now: float) -> None:
        if self._pulse is not None:
            self._conflicts.check(now, self._pulse)

    def _write_counters(self, now: float) -> None:
        if not self._may_count or 0 <= now - self._counted < BEAT_EVERY:
            return
        self._counted = now
        try:
            if not self._counters.write(self._may_go_on):
                self._counted = 0.0
        except ServerError as error:
            self._may_count = error.kind not in REFUSALS
            raise

    def _send_ping(self, now: float) -> None:
        if self._ping is not None:
            is_well = not self._self_check.is_overdue and not self._conflicts.has_conflict
            self._ping.ping(now, is_well=is_well)

    def _log(self, part: str, reason: str, now: float) -> None:
        self._trouble.log(part, {"reason": reason[:MAX_TEXT]}, now, message="watch")

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
            sources=tuple(self._schedule.sources),
            started=now,
            last_tick=now,
        )
