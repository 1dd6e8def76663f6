"""The campaign: each fault alone, then all of them mixed, then the count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from redis import Redis

from benchmarks.faults.agenda import Agenda
from benchmarks.faults.checker import Verdict, check
from benchmarks.faults.drain import Drain
from benchmarks.faults.faults import FAULTS, Fault
from benchmarks.faults.proxy import Loss
from benchmarks.faults.reasons import Reasons
from benchmarks.faults.server import Server
from benchmarks.faults.slot import SCHEDULE, End, Slot
from benchmarks.faults.wall_clock import WallClock, libfaketime
from clock.ledger.ledger import Ledger
from clock.schedule.load import load

APP = "clock"
SLOTS = 3

ALONE = 0.2
"""The share of the time in which each fault is alone."""

ALONE_AT_LEAST = 36.0
"""Seconds of that; but half of the time is for all of them mixed."""

RETRY = 0.1
"""Seconds after which a fault that could not be done is tried again."""

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
    """The server, the clocks, and what is done to them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        """Everything is written into ``folder``; ``say`` is told how it goes."""
        self.agenda = Agenda()
        self.dice = Random(seed)
        self.server = Server(folder / "server")
        library = libfaketime()
        self.slots = [
            Slot(
                number,
                self.server.port,
                folder,
                # One clock lives by a wall clock that can be set; the others' is true.
                WallClock(library, folder / "wall-clock") if library and number == 0 else None,
            )
            for number in range(SLOTS)
        ]
        self.wanted = SLOTS
        self.faults = [
            fault for fault in FAULTS if library is not None or fault.name != "wall clock set"
        ]
        self._seed = seed
        self._say = say
        self._starts = 0
        self._strikes: Counter[str] = Counter()
        self._ends: Counter[End] = Counter()
        self._misbehaved: list[str] = []
        self._waiting: set[int] = set()

    def run(self, seconds: float) -> Outcome:
        """Run it, and judge."""
        begin = time.monotonic()
        self.server.start()
        try:
            return self._run(seconds, begin)
        finally:
            for slot in self.slots:
                slot.close()
            self.server.kill()

    def _run(self, seconds: float, begin: float) -> Outcome:
        events = list(load(str(SCHEDULE)).events.values())
        since = int(time.time())
        # By the campaign's own hand, so that it knows from when on each event occurs.
        with Redis.from_url(self.server.url) as connection:
            Ledger(connection, app=APP, token="campaign").enrol(events, since)
        drain = Drain(self.server.url, APP, events)
        reasons = Reasons(self.server.url, APP)
        drain.start()
        reasons.start()

        self._wait(lambda: all(slot.age > 1 for slot in self.slots), 10)
        alone = max(ALONE * seconds, min(ALONE_AT_LEAST, seconds / 2))
        self._alone(alone)
        self._mixed(seconds - alone)
        until = int(time.time())
        self._wait_until_decided(reasons, until)
        for slot in self.slots:
            slot.terminate()
        self._wait(lambda: all(slot.is_empty for slot in self.slots), 15, restart=False)

        server_kills = self.server.kills
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
            strikes=self._strikes,
            ends=self._ends,
            starts=self._starts,
            server_kills=server_kills,
            server_suspensions=self.server.suspensions,
            losses=sum((slot.proxy.lost for slot in self.slots), Counter()),
            misbehaved=self._misbehaved,
            server=self.server.version,
        )

    def _alone(self, seconds: float) -> None:
        for fault in self.faults:
            self._say(f"alone: {fault.name}")
            self._schedule(fault, self._evenly(fault.alone))
            self._wait(lambda: False, seconds / len(self.faults))
            self._calm()

    def _mixed(self, seconds: float) -> None:
        self._say("mixed: all of them")
        for fault in self.faults:
            self._schedule(fault, self._at_random(fault.mixed))
        self._wait(lambda: False, seconds)
        self._calm()

    def _evenly(self, average: float) -> Callable[[], float]:
        return lambda: self.dice.uniform(0.5, 1.5) * average

    def _at_random(self, average: float) -> Callable[[], float]:
        return lambda: self.dice.expovariate(1 / average)

    def _schedule(self, fault: Fault, pause: Callable[[], float]) -> None:
        def strike() -> None:
            if fault.strike(self):
                self._strikes[fault.name] += 1
                self.agenda.after(pause(), strike)
            else:
                self.agenda.after(RETRY, strike)

        self.agenda.after(0, strike)

    def _calm(self) -> None:
        """Undo every fault at once, and let all clocks run."""
        self.agenda.clear()
        self._waiting.clear()
        self.server.resume()
        if not self.server.is_well:
            self.server.start()
        self.wanted = SLOTS
        for slot in self.slots:
            slot.resume()
            slot.proxy.disarm()
            if slot.wall_clock is not None:
                slot.wall_clock.set(0)

    def _wait(self, fact: Callable[[], bool], seconds: float, *, restart: bool = True) -> bool:
        """Do what is due until ``fact`` holds, ``seconds`` at most; whether it does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if fact():
                return True
            self._tend(restart)
            time.sleep(self.agenda.do_due())
        return fact()

    def _tend(self, restart: bool) -> None:
        for slot in self.slots:
            end = slot.look()
            if end is not None:
                self._ends[end] += 1
                if not slot.ended_well:
                    self._misbehaved.append(
                        f"clock {slot.number} {end} with exit code {slot.exit_code}"
                    )
            is_wanted = slot.number < self.wanted
            if slot.is_running and not is_wanted:
                slot.terminate()
            if slot.is_empty and is_wanted and restart and slot.number not in self._waiting:
                self._waiting.add(slot.number)
                self.agenda.after(self.dice.choice([0, 0, 0.1, 0.5]), self._start_in(slot))

    def _start_in(self, slot: Slot) -> Callable[[], None]:
        def start() -> None:
            self._waiting.discard(slot.number)
            if slot.is_empty:
                slot.start()
                self._starts += 1

        return start

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
        self._wait(lambda: False, 4)
        self._wait(is_decided, PATIENCE)
