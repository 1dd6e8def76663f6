"""A loop with its heartbeat, turned by hand on a wall clock that shows what it is set to."""

from __future__ import annotations

from collections.abc import Iterable

from redis import Redis

from clock import Schedule
from clock.ledger.ledger import Ledger
from clock.loop.due import Due
from clock.loop.heartbeat import Heartbeat
from clock.loop.loop import Loop
from clock.stop import Stop
from clock.watchers.clock_ping import ClockPing
from tests.loop.passes import take_turn_of_all

START = 1_800_000_000.0


class Watched:
    """A clock of the application ``test`` that starts at ``now``; every turn is asked for.

    One that ``is_idle`` goes round and finds nothing due.
    """

    def __init__(
        self,
        redis: Redis,
        schedule: Schedule,
        *,
        now: float = START,
        is_idle: bool = False,
        token: str = "h:1:x",
        app: str = "test",
        tolerance: float = 60.0,
        conflict_after: float = 300.0,
        serializer: str = "pickle",
        ping: ClockPing | None = None,
    ) -> None:
        self.now = now
        heartbeat = Heartbeat(
            redis,
            schedule,
            app=app,
            token=token,
            serializer=serializer,
            tolerance=tolerance,
            conflict_after=conflict_after,
        )
        self.housekeeping = heartbeat.housekeeping()
        self.housekeeping._ping = ping
        self.loop = Loop(
            list(schedule.events.values()),
            Ledger(redis, app=app, token=token, serializer=serializer),
            Stop(),
            now=lambda: self.now,
            heartbeat=heartbeat,
        )
        if is_idle:
            setattr(self.loop._dispatcher.timetable, "due", _nothing)  # noqa: B010  # mypy forbids the other way

    def turn(self, seconds: Iterable[float]) -> None:
        """Take a turn at each of ``seconds`` after START."""
        for second in seconds:
            self.now = START + second
            take_turn_of_all(self.loop)


def _nothing(_now: float, _limit: int) -> list[Due]:
    return []
