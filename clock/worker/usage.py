"""What the processes of a worker use: memory, and time of the processor. Known on Linux only.

Other systems tell a process little of others: of its children that live, macOS tells nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from clock import keys

PERIOD = 15.0
"""Seconds between two measurements: to count the memory of a large process takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What ``processes`` use: bytes of ``memory``, in which pages that several share count in
    parts; and ``cpu``, the processor seconds that they and those that have ended took. ``load`` is
    how many processors were busy lately, on average; None where that is not known yet.
    """

    processes: int
    memory: int
    cpu: float
    load: float | None

    def fields(self) -> dict[str, str]:
        """The fields of a worker's hash that say so."""
        fields = {
            keys.PROCESSES: str(self.processes),
            keys.MEMORY: str(self.memory),
            keys.CPU: f"{self.cpu:.2f}",
        }
        return fields if self.load is None else fields | {keys.LOAD: f"{self.load:.3f}"}


class UsageMeter:
    """Measures the processes that ``pids`` gives, the worker's own among them."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        self._measured: frozenset[int] = frozenset()
        self._next = 0.0
        self._before: tuple[float, float] | None = None
        self._usage: Usage | None = None

    def read(self, now: float) -> Usage | None:
        """What they use ``now``, on any clock in seconds that only goes forward, or used at most
        ``PERIOD`` ago; None where that is not known.
        """
        pids = frozenset(pid for pid in self._pids() if pid)
        if now >= self._next or pids != self._measured:
            self._measured = pids
            self._usage = self._measure(now)
        return self._usage

    def _measure(self, now: float) -> Usage | None:
        memory = [size for pid in self._measured if (size := _memory(pid)) is not None]
        if not memory:
            return None
        cpu = sum(filter(None, map(_cpu, self._measured)))
        load = None if self._usage is None else self._usage.load
        if now >= self._next:
            if self._before is not None:
                began, before = self._before
                load = max(0.0, cpu - before) / max(now - began, 0.001)
            self._before, self._next = (now, cpu), now + PERIOD
        return Usage(processes=len(memory), memory=sum(memory), cpu=cpu, load=load)


def _memory(pid: int) -> int | None:
    """Bytes of a process in memory; None for one that is gone."""
    with suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    # A kernel older than 4.14, or a task that has changed its user.
    with suppress(OSError), open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * _PAGE
    return None


def _cpu(pid: int) -> float | None:
    """Processor seconds of a process and its children that ended; None for one that is gone."""
    with suppress(OSError), open(f"/proc/{pid}/stat") as file:
        # The name of the program, in parentheses, may contain anything.
        fields = file.read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return None


_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
