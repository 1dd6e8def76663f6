"""What does a clock cost while nothing is due?

Two processes, one with a million events and one with ten, run side by side in real time. None of
their events is due for months. The kernel reports the processor time of each over the same five
spans of ten seconds.

``python -m benchmarks.idle COUNT URL`` is such a process; it prints ``ready`` when it has enrolled.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median

from benchmarks.answer import Answer, Goal
from benchmarks.crowd import few_of_many
from benchmarks.enrolled import enrolled
from benchmarks.faults.program import CLOCK
from benchmarks.process import cpu_seconds
from benchmarks.ratio import Pairs
from benchmarks.server import server
from clock.connection.client import connect
from clock.ledger.ledger import Ledger
from clock.log import log_to
from clock.loop.loop import Loop
from clock.stop import Stop


def measure(*, quick: bool = False) -> Answer:
    """The goal, and the processor time of each."""
    count, spans, length = (50, 1, 1.2) if quick else (1_000_000, 5, 10.0)
    with ExitStack() as stack:
        processes = []
        for number in (count, 10):
            url = stack.enter_context(server())
            process = _spawn(number, url)
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        # What follows on the enrolment, as memory given back, is not idleness.
        time.sleep(length / 5)
        used = _watch([process.pid for process in processes], spans, length)
    many, few = (1000 * median(spans_used) / length for spans_used in (used.ours, used.peer))
    return Answer(
        goals=[
            Goal(
                what=f"idle processor time, {count:,} events against 10",
                measured=used.cost,
                goal=2.0,
                least=5.0,
            )
        ],
        facts=[
            f"idle, {count:,} events: {many:.3f} ms of processor time a second; "
            f"10 events: {few:.3f} ms; ratio {used.cost:.2f}"
        ],
    )


def _watch(pids: list[int], spans: int, length: float) -> Pairs:
    used: list[list[float]] = [[], []]
    for _ in range(spans):
        before = [cpu_seconds(pid) for pid in pids]
        time.sleep(length)
        for own, pid, start in zip(used, pids, before, strict=True):
            own.append(cpu_seconds(pid) - start)
    return Pairs(*used)


def _spawn(count: int, url: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "benchmarks.idle", str(count), url]
    return subprocess.Popen(words, env=CLOCK.environment(), stdout=subprocess.PIPE)


def _main(count: int, url: str) -> None:
    log_to(open(os.devnull, "w"), "logfmt")  # noqa: SIM115
    ledger = Ledger(connect(url), app="idle", token="idle")
    loop = enrolled(Loop(few_of_many(0, count), ledger, Stop()))
    gc.collect()
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
