"""The children of a worker, as the worker sees them."""

from __future__ import annotations

import secrets
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from clock.stop import Readable
from clock.worker.child import LEAVES
from clock.worker.fork_server import Ended, ForkServer, RunChild, Started, kill_group
from clock.worker.slot import Slot, Slots

AGAIN = 1.0
"""Seconds until another child takes the place of one that died before its first job."""


@dataclass(slots=True, eq=False)
class ChildProcess:
    """One child: its slot, who it is (``NAME.TOKEN``), and its process once it runs. ``reason``
    says why the worker killed it.
    """

    index: int
    owner: str
    slot: Slot
    pid: int = 0
    since: float = field(default_factory=time.monotonic)
    reason: str = ""

    def kill(self, reason: str) -> None:
        """Kill it, and what its task has started in its process group."""
        self.reason = self.reason or reason
        if self.pid:
            kill_group(self.pid)


class Children:
    """Starts them, and tells which have ended."""

    def __init__(
        self,
        count: int,
        name: str,
        *,
        run: RunChild,
        prepare: Callable[[], None],
    ) -> None:
        """``run`` is what a child does, given its slot, who it is, and how many jobs it may run;
        ``prepare`` is done once in the process that forks them. ``name`` is the worker's.
        """
        self._name = name
        self._count = count
        self._slots = Slots(count)
        self._server = ForkServer(
            run, prepare, lambda index: self._slots[index].running is not None
        )
        self._living: dict[int, ChildProcess] = {}
        self._left: set[int] = set()
        self._later: dict[int, float] = {}
        self._done = 0

    def slot(self, index: int) -> Slot:
        """The slot that a child writes."""
        return self._slots[index]

    def start(self) -> None:
        """Begin the process that forks. To be called before any thread is started."""
        self._server.start()

    def spawn(self, quota: int | None) -> None:
        """Start a child in each slot that has none, and is not done; each may run ``quota`` jobs.
        Raises ForkServerDiedError.
        """
        now = time.monotonic()
        for index in range(self._count):
            if index not in self._living.keys() | self._left and now >= self._later.get(index, 0):
                owner = f"{self._name}.{secrets.token_hex(4)}"
                slot = self._slots[index]
                slot.clear()
                self._living[index] = ChildProcess(index, owner, slot)
                self._server.spawn(index, owner, quota)

    @property
    def living(self) -> list[ChildProcess]:
        """The children that have not ended."""
        return list(self._living.values())

    @property
    def have_left(self) -> bool:
        """Whether all found that there is no more to do."""
        return len(self._left) == self._count

    @property
    def done(self) -> int:
        """How many jobs they have ended, the dead ones too."""
        return self._done + sum(child.slot.done for child in self.living)

    def of_job(self, job: str) -> ChildProcess | None:
        """The child that runs the job with this id."""
        return next(
            (child for child in self.living if (at := child.slot.running) and at.job == job), None
        )

    def of_execution(self, execution: str) -> ChildProcess | None:
        """The child that runs the execution with this id."""
        return next(
            (
                child
                for child in self.living
                if (at := child.slot.running) and at.execution == execution
            ),
            None,
        )

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
            # The worker writes the end of the job that it died of.
            self._done += child.slot.done + (child.slot.running is not None)
            if child.slot.running is None and message.status == LEAVES:
                self._left.add(message.index)
            else:
                # There may be something to do again: the job of this one.
                self._left.clear()
                if not child.slot.done and child.slot.running is None:
                    self._later[message.index] = time.monotonic() + AGAIN
            yield child, message

    def close(self) -> None:
        """End those that are left, and what their tasks have started."""
        self._server.close()
        for child in self.living:
            if child.pid:
                # The server does so itself, unless it was killed.
                kill_group(child.pid)
