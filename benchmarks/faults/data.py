"""The server's data, lost while clocks run: flushed, or replaced by an older copy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from redis.exceptions import RedisError

from benchmarks.faults.checker import is_decided
from benchmarks.faults.drain import Drain
from benchmarks.faults.eras import Era
from benchmarks.faults.faults import Fault, World
from benchmarks.faults.program import CLOCK
from benchmarks.faults.reasons import Reasons, parsed, patient
from benchmarks.faults.server import Server
from clock import keys
from clock.instant import utc_text
from clock.ledger.record import Record
from clock.schedule.event import Event

AGAIN = 0.1
"""Seconds after which a loss is tried again that could not be yet."""

HELD = 60_000
"""Milliseconds for which a server takes no writes that is about to lose its data."""

BEHIND = 3
"""Seconds that an event may be behind when data is lost, and the longest between two of its
occurrences."""

KNOWS_ALL = 2.0
"""Seconds from the start of a process after which its clock is likely to know how far its events
are."""

OLDEST = 4.0
"""Seconds that a copy is old at most when it is restored."""


class Data:
    """Knows what was there at each loss, and so what each era decided."""

    def __init__(
        self, server: Server, app: str, events: Sequence[Event], drain: Drain, reasons: Reasons
    ) -> None:
        self.restored = 0
        """How often a copy was restored."""
        self._server = server
        self._app = app
        self._events = [event for event in events if event.policy.condition is None]
        self._drain = drain
        self._reasons = reasons
        self._begun: Mapping[str, Record] = {}
        self._restored_to: int | None = None
        self._eras: list[Era] = []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The ways in which it is lost."""
        return (
            Fault("data flushed", self._flush, 3, 25, lasts=6),
            Fault("data lost, a copy restored", self._copy, 6, 45, lasts=OLDEST + 5),
        )

    def begin(self) -> None:
        """The first era begins with what the ledger says now."""
        self._begun = self._reasons.read()

    def eras(self, records: Mapping[str, Record]) -> list[Era]:
        """All eras, where clocks, drain and reasons have stopped, and ``records`` are the last."""
        self._end_era(records, waiting=0)
        return self._eras

    def _flush(self, world: World) -> bool:
        """Everything is flushed while a clock runs."""
        knows_all = any(slot.is_awake and slot.age > KNOWS_ALL for slot in world.slots)
        if not knows_all or not self._server.is_well:
            return False
        with self._drain.pause, self._reasons.pause:
            return self._is_up_to_date() and self._lose("FLUSHALL")

    def _copy(self, world: World) -> bool:
        """The data is copied, and some seconds later lost, and the copy put in its place."""
        if not self._server.is_well:
            return False
        self._server.copy()
        world.timers.after(world.dice.uniform(OLDEST / 3, OLDEST), lambda: self._restore(world))
        return True

    def _restore(self, world: World) -> None:
        """Lose the data, and do what docs/recovery.md says, step by step."""
        if not self._server.is_well:
            # Who takes jobs from one that is suspended may hold its lock for long.
            world.timers.after(AGAIN, lambda: self._restore(world))
            return
        with self._drain.pause, self._reasons.pause:
            # Nothing may be written behind what is read here.
            if not self._is_up_to_date() or not self._lose("CLIENT", "PAUSE", HELD, "WRITE"):
                world.timers.after(AGAIN, lambda: self._restore(world))
                return
            self._server.kill()
            world.stop_clocks()
            self._server.restore()
            self._server.start()
            self._move_records()
            self.restored += 1

    def _is_up_to_date(self) -> bool:
        """Whether clocks have made up what they missed, but for what waits for conditions: else
        most of what the campaign is about would go with the data.
        """
        with patient(self._server.url) as connection:
            try:
                records = parsed(connection.hgetall(keys.decided(self._app)))
            except (RedisError, OSError):
                return False
        now = int(time.time())
        return is_decided(self._events, records, now - 2 * BEHIND, now - BEHIND)

    def _lose(self, *command: str | int) -> bool:
        """End the era with a command that is executed in one step with the last look."""
        with patient(self._server.url) as connection:
            try:
                self._drain.take_all()
                with connection.pipeline() as pipeline:
                    pipeline.hgetall(keys.decided(self._app))
                    for key in self._drain.keys:
                        pipeline.lrange(key, 0, -1)
                    pipeline.execute_command(*command)
                    lines, *queues, _ = pipeline.execute()
            except (RedisError, OSError):
                return False
        for ids in queues:
            self._drain.lost(ids)
        self._end_era(parsed(lines), waiting=sum(map(len, queues)))
        return True

    def _end_era(self, records: Mapping[str, Record], waiting: int) -> None:
        self._reasons.keep(records)
        self._eras.append(
            Era(
                begun=self._begun,
                restored_to=self._restored_to,
                received=self._drain.turn_over(),
                reasons=self._reasons.turn_over(),
                records=records,
                ended=time.time(),
                waiting=waiting,
            )
        )
        self._begun, self._restored_to = {}, None

    def _move_records(self) -> None:
        """Restore the records, and remove the jobs that the copy brought back."""
        # The last line "enqueued" in the log of a clock says so.
        last = max(
            record.fired or 0
            for era in self._eras
            for record in (*era.records.values(), *era.begun.values())
        )
        words = ["-m", "clock", "restore", utc_text(last), "--url", self._server.url]
        subprocess.run(
            [sys.executable, *words],
            env=CLOCK.environment(),
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with patient(self._server.url) as connection:
            # `rq empty`, and the same for what was set aside and not read yet.
            for pattern in ("rq:queue:*", "rq:job:*", "faults:aside:*"):
                for key in connection.scan_iter(pattern, count=1000):
                    connection.unlink(key)
        self._begun, self._restored_to = self._reasons.read(), last
        self._reasons.turn_over()
