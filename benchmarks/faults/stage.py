"""The stage: a server, the processes that use it, and what is done to them meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.faults.faults import Fault
from benchmarks.faults.program import Program
from benchmarks.faults.server import Breakable, Server
from benchmarks.faults.slot import End, Slot
from benchmarks.faults.timers import Timers
from benchmarks.faults.wall_clock import WallClock, libfaketime

RETRY = 0.1
"""Seconds after which a fault that could not be done is tried again."""


PATIENCE = 60.0
"""Seconds that a fault may take, alone, until it has struck often enough."""

LONGEST_END = 15.0
"""Seconds that a process may take to end when it is asked to."""

NOT_ENDED = "not every process ended when asked to"


class Stage:
    """Starts what ends, undoes what was done, and ends everything at its own end."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        program: Program,
        *,
        slots: int,
        settable: bool = False,
        server: Breakable | None = None,
        workers: Sequence[Program] = (),
    ) -> None:
        """``slots`` processes run ``program``, and one each of ``workers``; with ``settable`` the
        wall clock of each of the first can be set, where libfaketime is installed. They use
        ``server``, or one of the stage, each through a proxy; where it stands for several servers,
        they find it by themselves.
        """
        self.timers = Timers()
        self.dice = Random(seed)
        self.server = server or Server(folder / "server")
        port = self.server.port if isinstance(self.server, Server) else None
        library = libfaketime() if settable else None
        self.slots = [
            Slot(
                number,
                port,
                folder,
                program,
                WallClock(library, folder / f"wall-clock-{number}") if library else None,
            )
            for number in range(slots)
        ]
        self.workers = [
            Slot(number, port, folder, worker, None) for number, worker in enumerate(workers)
        ]
        self.wanted = slots
        self.starts = self.worker_starts = 0
        self.strikes: Counter[str] = Counter()
        self.ends: Counter[End] = Counter()
        self.worker_ends: Counter[End] = Counter()
        self.misbehaved: list[str] = []
        self._waiting: set[Slot] = set()

    def close(self) -> None:
        """End every process."""
        for slot in self._all:
            slot.close()
        self.server.close()

    def alone(self, faults: Sequence[Fault], seconds: float, say: Callable[[str], object]) -> None:
        """One fault after the other, each for its share of ``seconds`` or as long as it lasts."""
        for fault in faults:
            say(f"alone: {fault.name}")
            self._strike(fault, self._evenly(fault.alone))
            self.go_on(max(seconds / len(faults), fault.lasts))
            self.wait(partial(self._has_struck, fault), PATIENCE)
            self.calm()

    def mixed(self, faults: Sequence[Fault], seconds: float) -> None:
        """All faults, each at random."""
        for fault in faults:
            self._strike(fault, self._at_random(fault.mixed))
        self.go_on(seconds)
        self.calm()

    def go_on(self, seconds: float) -> None:
        """Do what is due for ``seconds``."""
        self.wait(lambda: False, seconds)

    def stop(self) -> None:
        """Ask all processes to end, and wait until they have."""
        self.timers.clear()
        for slot in self._all:
            slot.terminate()
        if not self.wait(
            lambda: all(slot.is_empty for slot in self._all), LONGEST_END, restart=False
        ):
            self.misbehaved.append(NOT_ENDED)

    def stop_clocks(self) -> None:
        """Ask all processes to end, and wait until they have; nothing else happens meanwhile."""
        for slot in self.slots:
            slot.terminate()
        deadline = time.monotonic() + LONGEST_END
        while not all(slot.is_empty for slot in self.slots):
            if time.monotonic() > deadline:
                self.misbehaved.append(NOT_ENDED)
                for slot in self.slots:
                    slot.kill()
                deadline += LONGEST_END
            self._look_at_ends()
            time.sleep(0.02)

    def calm(self) -> None:
        """Undo every fault at once, and let all processes run."""
        self.timers.clear()
        self._waiting.clear()
        self.server.resume()
        if not self.server.is_well:
            self.server.start()
        self.wanted = len(self.slots)
        for slot in self._all:
            slot.resume()
            if slot.proxy is not None:
                slot.proxy.disarm()
            if slot.wall_clock is not None:
                slot.wall_clock.set(0)

    def wait(self, fact: Callable[[], bool], seconds: float, *, restart: bool = True) -> bool:
        """Do what is due until ``fact`` holds, ``seconds`` at most; whether it does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if fact():
                return True
            self._tend(restart)
            time.sleep(self.timers.do_due())
        return fact()

    def _has_struck(self, fault: Fault) -> bool:
        return self.strikes[fault.name] >= fault.at_least

    def _evenly(self, average: float) -> Callable[[], float]:
        return lambda: self.dice.uniform(0.5, 1.5) * average

    def _at_random(self, average: float) -> Callable[[], float]:
        return lambda: self.dice.expovariate(1 / average)

    def _strike(self, fault: Fault, pause: Callable[[], float]) -> None:
        def strike() -> None:
            if fault.strike(self):
                self.strikes[fault.name] += 1
                self.timers.after(pause(), strike)
            else:
                self.timers.after(RETRY, strike)

        self.timers.after(0, strike)

    @property
    def _all(self) -> list[Slot]:
        return [*self.slots, *self.workers]

    def _tend(self, restart: bool) -> None:
        self.server.tend()
        self._look_at_ends()
        for slot in self._all:
            is_wanted = slot.is_worker or slot.number < self.wanted
            if slot.is_running and not is_wanted:
                slot.terminate()
            if slot.is_empty and is_wanted and restart and slot not in self._waiting:
                self._waiting.add(slot)
                self.timers.after(self.dice.choice([0, 0, 0.1, 0.5]), self._start_in(slot))

    def _look_at_ends(self) -> None:
        for slot in self._all:
            end = slot.look()
            if end is not None:
                (self.worker_ends if slot.is_worker else self.ends)[end] += 1
                if not slot.ended_well:
                    self.misbehaved.append(f"{slot.log.stem} {end} with exit code {slot.exit_code}")

    def _start_in(self, slot: Slot) -> Callable[[], None]:
        def start() -> None:
            self._waiting.discard(slot)
            if slot.is_empty:
                slot.start()
                self.worker_starts += slot.is_worker
                self.starts += not slot.is_worker

        return start
