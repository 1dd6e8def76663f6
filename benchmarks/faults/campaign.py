"""The campaign: each fault alone, then all of them mixed, then the count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from benchmarks.faults.checker import Verdict, check
from benchmarks.faults.drain import Drain
from benchmarks.faults.faults import FAULTS, step_wall_clock
from benchmarks.faults.program import CLOCK, SCHEDULE
from benchmarks.faults.proxy import Loss
from benchmarks.faults.reasons import Reasons, patient
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

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign went. ``strikes`` counts the faults by name, ``ends`` what became of clocks;
    ``misbehaved`` has one sentence for each clock that ended as none should.
    """

    seed: int
    seconds: float
    verdict: Verdict
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
        """Whether nothing was lost, doubled or strange, and no clock died by itself."""
        return self.verdict.is_clean and not self.misbehaved


class Campaign:
    """Up to three clocks, and what is done to them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        """Everything is written into ``folder``; ``say`` is told how it goes."""
        self._stage = Stage(folder, seed, CLOCK, places=SLOTS, settable=True)
        can_set = any(slot.wall_clock is not None for slot in self._stage.slots)
        self.faults = [fault for fault in FAULTS if can_set or fault.strike is not step_wall_clock]
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
        stage = self._stage
        events = list(load(str(SCHEDULE)).events.values())
        since = int(time.time())
        # By the campaign's own hand, so that it knows from when on each event occurs.
        with Redis.from_url(stage.server.url) as connection:
            Ledger(connection, app=APP, token="campaign").enrol(events, since)
        drain = Drain(stage.server.url, APP, events)
        reasons = Reasons(patient(stage.server.url), APP)
        drain.start()
        reasons.start()

        stage.wait(lambda: all(slot.age > 1 for slot in stage.slots), 10)
        alone = max(ALONE * seconds, min(ALONE_AT_LEAST, seconds / 2))
        stage.alone(self.faults, alone, self._say)
        self._say("mixed: all of them")
        stage.mixed(self.faults, seconds - alone)
        until = int(time.time())
        self._wait_until_decided(reasons, until)
        stage.stop()

        records = reasons.stop()
        drain.stop()
        verdict = check(
            events,
            since=since,
            until=until,
            received=drain.received,
            reasons=reasons.found,
            records=records,
        )
        verdict.strange += drain.flaws
        return Outcome(
            seed=self._seed,
            seconds=time.monotonic() - begin,
            verdict=verdict,
            strikes=stage.strikes,
            ends=stage.ends,
            starts=stage.starts,
            server_kills=stage.server.kills,
            server_suspensions=stage.server.suspensions,
            losses=sum((slot.proxy.lost for slot in stage.slots if slot.proxy), Counter()),
            misbehaved=stage.misbehaved,
            server=stage.server.version,
        )

    def _wait_until_decided(self, reasons: Reasons, until: int) -> None:
        self._say("calm: what is due is made up")
        looked = 0.0

        def is_decided() -> bool:
            nonlocal looked
            if time.monotonic() - looked < 1:
                return False
            looked = time.monotonic()
            return all(record.decided >= until - 3 for record in reasons.read().values())

        # The slowest event occurs every three seconds; after `until` each has one to come.
        self._stage.go_on(4)
        self._stage.wait(is_decided, PATIENCE)
