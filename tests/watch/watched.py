"""A loop with its watch, turned by hand on a wall clock that shows what it is set to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from redis import Redis

from clock import Schedule
from clock.ledger.channel import Call
from clock.ledger.ledger import Claim, Ledger, Outcome, Sent
from clock.loop import Loop
from clock.stop import Stop
from clock.watch.watch import Watch

START = 1_800_000_000.0


class Watched:
    """A clock of the application ``test`` that starts at ``now``; every turn is asked for."""

    def __init__(
        self,
        redis: Redis,
        schedule: Schedule,
        *,
        now: float = START,
        ledger: type[Ledger] = Ledger,
        token: str = "h:1:x",
        app: str = "test",
        tolerance: float = 60.0,
    ) -> None:
        self.now = now
        self.watch = Watch(
            redis, schedule, app=app, token=token, serializer="pickle", tolerance=tolerance
        )
        self.loop = Loop(
            list(schedule.events.values()),
            ledger(redis, app=app, token=token),
            Stop(),
            now=lambda: self.now,
            watch=self.watch,
        )

    def turn(self, seconds: Iterable[float]) -> None:
        """Take a turn at each of ``seconds`` after START."""
        for second in seconds:
            self.now = START + second
            self.loop.turn()


class Idle(Ledger):
    """A ledger that says of every claim that another clock was faster, and writes nothing."""

    def send(self, claims: Sequence[Claim], now: float) -> Sent:
        return Sent(claims, Call((), ()))

    def receive(self, sent: Sent) -> list[Outcome]:
        return [Outcome(claim, None, claim.scheduled) for claim in sent.claims]
