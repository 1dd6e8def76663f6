"""Real processes, and what the kernel says of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.faults.program import CLOCK

PATIENCE = 120.0
"""Seconds to wait for a fact before giving up."""


@contextmanager
def running(
    *words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs while the block does; its output is dropped.

    It sees no variable that would choose a server or a zone but those of ``environ``, and finds
    this project.
    """
    process = subprocess.Popen(
        words,
        cwd=cwd,
        env={**CLOCK.environment(), **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # With what it started: some leave processes behind that go on without them.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clock(file: Path, url: str) -> Sequence[str]:
    """The words of the command that runs the clock."""
    return [sys.executable, "-m", "clock", str(file), "--url", url]


def wait_for(fact: str, look: Callable[[], object], pause: float = 0.001) -> None:
    """Look until it is so; raises TimeoutError, naming the fact, where it never is."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(fact)
        time.sleep(pause)


def cpu_seconds(pid: int) -> float:
    """What a process with one thread has used so far, to the nanosecond. Linux only."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def resident(pid: int | str = "self") -> int:
    """The bytes of memory that a process holds. Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line_of_memory,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line_of_memory.split()[1]) * 1024


def family(pid: int) -> list[int]:
    """A process and all that it started, and so on. Linux only."""
    pids = [pid]
    for parent in pids:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            pids += map(int, tasks.read_text().split())
    return pids


def proportional(pid: int) -> int:
    """The bytes of memory that a process holds, what it shares in parts. Linux only."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (line_of_memory,) = (line for line in lines if line.startswith("Pss:"))
    return int(line_of_memory.split()[1]) * 1024
