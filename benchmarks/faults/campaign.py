"""The campaign: each fault alone, then all of them mixed, then the count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from benchmarks.faults.checker import is_decided
from benchmarks.faults.data import Data
from benchmarks.faults.drain import Drain
from benchmarks.faults.eras import Totals, add_up
from benchmarks.faults.faults import FAULTS, WALL_CLOCKS
from benchmarks.faults.program import CLOCK, SCHEDULE
from benchmarks.faults.proxy import Loss
from benchmarks.faults.reasons import Reasons, patient
from benchmarks.faults.server import Server
from benchmarks.faults.slot import End
from benchmarks.faults.stage import Stage
from clock.ledger.ledger import Ledger
from clock.schedule.load import load

APP = "clock"
SLOTS = 3

ALONE = 0.2
"""The share of the time in which each fault is alone."""

ALONE_AT_LEAST = 36.0
"""Seconds of that; but half of the time is for all of them mixed."""

PATIENCE = 90.0
"""Seconds the last clocks have to decide everything that is due."""

LONGEST_PERIOD = 3
"""Seconds after which every event of the schedule occurs again."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign went. ``strikes`` counts the faults by name, ``ends`` what became of clocks,
    ``restored`` how often a copy was, ``waiting`` the jobs that waited when data was lost;
    ``misbehaved`` has one sentence for each clock that ended as none should.
    """

    seed: int
    seconds: float
    totals: Totals
    restored: int
    waiting: int
    strikes: Counter[str]
    ends: Counter[End]
    starts: int
    server_kills: int
    server_suspensions: int
    losses: Counter[Loss]
    misbehaved: list[str]
    server: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, early or strange, and no clock died by itself."""
        return self.totals.verdict.is_clean and not self.misbehaved


class Campaign:
    """Up to three clocks, and what is done to them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        """Everything is written into ``folder``; ``say`` is told how it goes."""
        server = Server(folder / "server")
        self._stage = Stage(folder, seed, CLOCK, slots=SLOTS, settable=True, server=server)
        self._events = list(load(str(SCHEDULE)).events.values())
        self._drain = Drain(server.url, APP, self._events)
        self._reasons = Reasons(patient(server.url), APP)
        self._data = Data(server, APP, self._events, self._drain, self._reasons)
        can_set = any(slot.wall_clock is not None for slot in self._stage.slots)
        faults = [fault for fault in FAULTS if can_set or fault not in WALL_CLOCKS]
        self.faults = [*faults, *self._data.faults]
        self._seed = seed
        self._say = say

    def run(self, seconds: float) -> Outcome:
        """Run it, and judge."""
        begin = time.monotonic()
        try:
            self._stage.server.start()
            return self._run(seconds, begin)
        finally:
            self._stage.close()

    def _run(self, seconds: float, begin: float) -> Outcome:
        stage, reasons = self._stage, self._reasons
        since = int(time.time())
        # By the campaign's own hand, so that it knows from when on each event occurs.
        with Redis.from_url(stage.server.url) as connection:
            Ledger(connection, app=APP, token="campaign").enrol(self._events, since)
        self._data.begin()
        self._drain.start()
        reasons.start()

        stage.wait(lambda: all(slot.age > 1 for slot in stage.slots), 10)
        alone = max(ALONE * seconds, min(ALONE_AT_LEAST, seconds / 2))
        stage.alone(self.faults, alone, self._say)
        self._say("mixed: all of them")
        stage.mixed(self.faults, seconds - alone)
        until = int(time.time())
        self._wait_until_decided(until)
        stage.stop()

        records = reasons.stop()
        self._drain.stop()
        eras = self._data.eras(records)
        totals = add_up(self._events, since=since, until=until, eras=eras)
        totals.verdict.strange += self._drain.flaws
        totals.verdict.early += self._drain.early
        return Outcome(
            seed=self._seed,
            seconds=time.monotonic() - begin,
            totals=totals,
            restored=self._data.restored,
            waiting=sum(era.waiting for era in eras),
            strikes=stage.strikes,
            ends=stage.ends,
            starts=stage.starts,
            server_kills=stage.server.kills,
            server_suspensions=stage.server.suspensions,
            losses=sum((slot.proxy.lost for slot in stage.slots if slot.proxy), Counter()),
            misbehaved=stage.misbehaved,
            server=stage.server.version,
        )

    def _wait_until_decided(self, until: int) -> None:
        self._say("calm: what is due is made up")
        looked = 0.0

        def is_over() -> bool:
            nonlocal looked
            if time.monotonic() - looked < 1:
                return False
            looked = time.monotonic()
            return is_decided(self._events, self._reasons.read(), until - LONGEST_PERIOD, until)

        self._stage.go_on(LONGEST_PERIOD + 1)
        self._stage.wait(is_over, PATIENCE)
