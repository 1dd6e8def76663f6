"""The watch: all that a running clock tells the ledger about itself, after each pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from redis import Redis

from clock.errors import MAX_TEXT, ServerError, describe_error
from clock.ledger.clocks import BEAT_EVERY, Heard, Life, Pulse
from clock.ledger.counters import Counters
from clock.ledger.descriptions import describe_in_parts
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

if TYPE_CHECKING:
    from clock.watchers.clock_ping import ClockPing

RENEWED_EVERY = 86_400
"""Seconds after which the descriptions are written again, so that a clock that runs for years does
not outlive them."""

OUR_OWN = frozenset({"NoPermissionError", "ResponseError WRONGTYPE"})
"""Kinds of ServerError that say nothing of the server: it lets the clock claim, and refuses what
the watch asks."""


class Housekeeping:
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
        conflict_after: float = CONFLICT_AFTER,
        ping: ClockPing | None = None,
    ) -> None:
        """``tolerance`` is how many seconds an event may be overdue before it is an error, and
        ``conflict_after`` how many two clocks may say different things of one; ``ping`` tells a
        watcher outside.
        """
        self._connection = connection
        self._app = app
        self._schedule = schedule
        self._events: Sequence[Event] = list(schedule.events.values())
        self._token = token
        self._serializer = serializer
        self._publisher = Publisher(connection, app, self._events)
        self._counters = Counters(connection, app)
        self._check = SelfCheck(connection, app, self._events, tolerance, self._publisher.published)
        self._conflicts = ConflictCheck(connection, app, self._events, serializer, conflict_after)
        self._ping = ping
        self._memory = KnownPauses(connection, app, self._events)
        self._pulse: Pulse | None = None
        self._lost: tuple[Heard, Life] | None = None
        self._described: float | None = None
        self._counted = 0.0
        self._may_count = True
        self._trouble = Trouble()
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

        Raises ServerError where the server is away, and for nothing else: what is only wrong with
        what the watch writes or reads is logged once an hour, and the loop goes on.
        """
        parts = (
            self._note,
            self._describe,
            self._publisher.passed,
            self._look,
            self._compare,
            self._count,
            self._tell,
        )
        self._may_go_on = may_go_on
        while True:
            number = self._part
            self._part = (number + 1) % (1 if is_starting else len(parts))
            try:
                self._do(parts[number], now)
            except ServerError:
                self._part = 0
                raise
            if self._part == 0 or not may_go_on():
                break
        self._trouble.log_repeats(now)

    def recover(self, now: float) -> None:
        """See whether the server lost data, and write back what must be there before anything
        fires: to be called where the server was away, or does not know an event. Raises as
        ``passed``.
        """
        try:
            self._do(self._recover, now)
        except ServerError as error:
            # A server that refuses what is asked here may well take what the loop does next.
            if not error.kind.startswith("ResponseError"):
                raise
            self._complain(self._recover.__name__, str(error), now)

    def claimed(self, outcomes: Sequence[ClaimResult], claimed_at: float) -> None:
        """Claims were made at ``claimed_at``, and this became of them. Nothing is sent."""
        self._counters.add(outcomes, claimed_at)

    def ended(self, now: float) -> None:
        """The clock ends because it was asked to. A server that is away need not know."""
        if self._pulse is not None:
            with suppress(ServerError):
                self._pulse.end(now)
                self._counters.write()

    def _do(self, part: Callable[[float], None], now: float) -> None:
        try:
            part(now)
        except ServerError as error:
            if error.kind not in OUR_OWN:
                raise
            self._complain(part.__name__, str(error), now)
        except Exception as error:  # nothing that is only said of a clock may end it
            self._complain(part.__name__, describe_error(error), now)

    def _note(self, now: float) -> None:
        if self._pulse is None:
            pulse = Pulse(self._connection, self._app, self._life(now))
            self._memory.keep(pulse.begin().pauses)
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
            self._conflicts.forget()
        if self._lost is None:
            self._memory.keep(heard.pauses)
            return
        # Kept until it is done, for a server that goes away again in the middle of it.
        self._memory.recover(*self._lost, now)
        self._lost = None

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
        except ServerError as error:
            if error.kind not in OUR_OWN:
                self._described = None
            raise

    def _look(self, now: float) -> None:
        there_since = now if self._pulse is None else self._pulse.life.there_since
        self._check.passed(now, there_since)

    def _compare(self, now: float) -> None:
        if self._pulse is not None:
            self._conflicts.passed(now, self._pulse)

    def _count(self, now: float) -> None:
        if not self._may_count or 0 <= now - self._counted < BEAT_EVERY:
            return
        self._counted = now
        try:
            self._counters.write()
        except ServerError as error:
            self._may_count = error.kind not in OUR_OWN
            raise

    def _tell(self, now: float) -> None:
        if self._ping is not None:
            is_well = not self._check.is_overdue and not self._conflicts.has_conflict
            self._ping.passed(now, is_well=is_well)

    def _complain(self, part: str, reason: str, now: float) -> None:
        """Say what is wrong with a part: once, and once an hour."""
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
            started=now,
            last_tick=now,
        )
