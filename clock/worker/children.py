"""The children of a worker, as the worker sees them."""

from __future__ import annotations

import os
import secrets
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from clock.stop import Readable
from clock.worker.child import LEAVES
from clock.worker.fork_server import (
    Ended,
    ForkServer,
    RunChild,
    SpawnChild,
    Started,
    kill_group,
)
from clock.worker.interruption import STOP
from clock.worker.output_ring import Printed
from clock.worker.slot import Request, Running, Slot, Slots

AGAIN = 1.0
"""Seconds until another child takes the place of one that died before its first job."""

STAND_INS = 4
"""How many may stand in for each child: one that does may come to hold back as well."""


@dataclass(slots=True, eq=False)
class ChildProcess:
    """One child: its slots, who it is (``NAME.TOKEN``), and its process once it runs. ``reason``
    says why the worker killed it, and ``culprit`` because of which execution, if of one.
    """

    index: int
    owner: str
    slots: list[Slot]
    pid: int = 0
    since: float = field(default_factory=time.monotonic)
    reason: str = ""
    culprit: str = ""

    @property
    def running(self) -> list[Running]:
        """What it runs."""
        return [running for slot in self.slots if (running := slot.running)]

    @property
    def runs_alone(self) -> bool:
        """Whether it runs one job that has the process to itself."""
        return self.slots[0].running is not None

    @property
    def idle_since(self) -> float | None:
        """Since when it has no job, on ``time.monotonic()``; None while it runs one, or has not
        looked for one yet.
        """
        if self.running:
            return None
        return max((at for slot in self.slots if (at := slot.idle_since)), default=None)

    @property
    def done(self) -> int:
        """How many jobs it has ended."""
        return sum(slot.done for slot in self.slots)

    def printed(self, execution: str) -> Printed | None:
        """What the execution with this id has printed so far; None for nothing."""
        rings = [slot.output for slot in self.slots if slot.output is not None]
        return next((printed for ring in rings if (printed := ring.read(execution))), None)

    def ask(self, execution: str, request: Request) -> None:
        """Ask something of one of the jobs that it runs side by side."""
        for slot in self.slots[1:]:
            running = slot.running
            if running is not None and running.execution == execution:
                slot.ask(execution, request)
                self.signal(STOP)

    def end(self, running: Running, reason: str, request: Request) -> None:
        """Let a job end that it runs, by itself or with the child."""
        if self.runs_alone:
            self.kill(reason)
        else:
            self.ask(running.execution, request)

    def signal(self, number: signal.Signals | int) -> None:
        """Send the signal to its process alone."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self, reason: str, culprit: str = "") -> None:
        """Kill it, and what its task has started in its process group."""
        if not self.reason:
            self.reason, self.culprit = reason, culprit
        if self.pid:
            kill_group(self.pid)


class Children:
    """Starts them, and tells which have ended."""

    def __init__(
        self,
        count: int,
        name: str,
        *,
        concurrency: int,
        has_output: bool,
        run: RunChild,
        prepare: Callable[[], None],
        spawn: SpawnChild | None = None,
    ) -> None:
        """``run``, ``prepare`` and ``spawn`` are those of ForkServer. ``name`` is the worker's, and
        ``concurrency`` how many jobs a child runs side by side; ``has_output`` says whether what
        they print is kept.
        """
        self._name = name
        self._count = count
        # After those of the children, the slots of their stand-ins.
        self._most = (1 + STAND_INS) * count
        self._slots = Slots(
            self._most, concurrency, has_output=has_output, in_file=spawn is not None
        )
        self._server = ForkServer(
            run, prepare, lambda index: any(slot.running for slot in self._slots[index]), spawn
        )
        self._living: dict[int, ChildProcess] = {}
        self._left: set[int] = set()
        self._later: dict[int, float] = {}
        self._done = 0

    def slots(self, index: int) -> list[Slot]:
        """The slots that a child writes."""
        return self._slots[index]

    @property
    def memory(self) -> int:
        """The descriptor of the memory with the slots, where children are not forked."""
        return self._slots.fileno()

    def start(self) -> None:
        """Begin the process that forks. To be called before any thread is started."""
        self._server.start()

    def spawn(self, quota: int | None) -> None:
        """Start a child in each place that has none, and is not done; each may run ``quota`` jobs.
        One that holds back gets a stand-in, unless there is a quota. Raises ForkServerDiedError.
        """
        count = self._count
        if quota is None:
            count += sum(child.slots[0].holds_back for child in self.living)
        for index in range(min(count, self._most)):
            is_there = index in self._living or index in self._left
            if not is_there and time.monotonic() >= self._later.get(index, 0):
                owner = f"{self._name}.{secrets.token_hex(4)}"
                slots = self._slots[index]
                for slot in slots:
                    slot.clear()
                self._living[index] = ChildProcess(index, owner, slots)
                self._server.spawn(index, owner, quota)

    def is_stand_in(self, index: int) -> bool:
        """Whether the child with this index only runs what another holds back from."""
        return index >= self._count

    @property
    def living(self) -> list[ChildProcess]:
        """The children that have not ended."""
        return list(self._living.values())

    @property
    def pids(self) -> list[int]:
        """Their processes, and the one that starts them."""
        return [self._server.pid, *(child.pid for child in self.living if child.pid)]

    @property
    def have_left(self) -> bool:
        """Whether all found that there is no more to do."""
        return len(self._left) == self._count

    @property
    def done(self) -> int:
        """How many jobs they have ended, the dead ones too."""
        return self._done + sum(child.done for child in self.living)

    @property
    def running(self) -> Iterator[tuple[ChildProcess, Running]]:
        """What the living run."""
        for child in self.living:
            for running in child.running:
                yield child, running

    def ended(
        self, seconds: float, stop: Sequence[Readable]
    ) -> Iterator[tuple[ChildProcess, Ended]]:
        """The children that end within ``seconds``; it is less if one of ``stop`` becomes readable.
        Raises ForkServerDiedError.
        """
        select.select([self._server, *stop], [], [], seconds)
        while select.select([self._server], [], [], 0)[0]:
            message = self._server.receive()
            child = self._living[message.index]
            if isinstance(message, Started):
                child.pid = message.pid
                if child.reason:
                    child.kill(child.reason)
                continue
            del self._living[message.index]
            # The worker writes the ends of the jobs that it died of.
            self._done += child.done + len(child.running)
            if not child.running and message.status == LEAVES:
                if not self.is_stand_in(message.index):
                    self._left.add(message.index)
            else:
                # There may be something to do again: the job of this one.
                self._left.clear()
                if not child.done and not child.running:
                    self._later[message.index] = time.monotonic() + AGAIN
            yield child, message

    def close(self) -> None:
        """End those that are left, and what their tasks have started."""
        self._server.close()
        for child in self.living:
            if child.pid:
                # The server does so itself, unless it was killed.
                kill_group(child.pid)
