"""A clock whose time is an argument: the real loop, timetable, ledger and log, without waiting.

``python -m benchmarks.stepped FILE URL TOKEN`` runs one in its own process. It prints ``ready``
once it is enrolled. For each ``fire`` that it reads, it fires the events of one minute and
prints when that began and ended, in seconds of the monotonic clock, which all processes share.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache

from benchmarks.enrolled import enrolled
from benchmarks.faults.program import CLOCK
from clock.connection.client import connect
from clock.ledger.ledger import Ledger
from clock.log import log_to
from clock.loop.loop import Loop
from clock.schedule.event import Event
from clock.schedule.load import load
from clock.stop import Stop

BEGINNING = 1_800_000_000.0
"""When it starts, in UTC seconds since 1970: a whole minute, in 2027."""

APP = "bench"


class SteppedClock:
    """Its events are enrolled when it is there. It logs as the command does where its output is a
    file, into nothing.
    """

    def __init__(self, url: str, events: Sequence[Event], *, token: str = "bench") -> None:
        self.connection = connect(url)
        self._now = BEGINNING
        _log_into_nothing()
        ledger = Ledger(self.connection, app=APP, token=token)
        self.loop = enrolled(Loop(events, ledger, Stop(), now=lambda: self._now))

    def fire(self) -> float:
        """Let the next minute come; the seconds of the tick in which it does."""
        begin, end = self.span()
        return end - begin

    def span(self) -> tuple[float, float]:
        """As ``fire``; when the tick began and ended, in seconds of the monotonic clock."""
        # A clock looks every second, so this is not a suspension: the minute is due, not missed.
        self._now += 59.5
        self.loop.tick()
        self._now += 0.5
        gc.collect()
        begin = time.monotonic()
        self.loop.tick()
        return begin, time.monotonic()

    def close(self) -> None:
        """Give back what it holds."""
        self.connection.close()


class SteppedProcess:
    """A stepped clock in a process of its own."""

    def __init__(self, file: str, url: str, token: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stepped", file, url, token],
            env=CLOCK.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until its events are enrolled."""
        assert self._line() == "ready"

    def tell(self) -> None:
        """Let a minute's crowd fire, without waiting for the end."""
        assert self.process.stdin is not None
        self.process.stdin.write("fire\n")
        self.process.stdin.flush()

    def hear(self) -> tuple[float, float]:
        """When what it was told began and ended, in seconds of the monotonic clock."""
        begin, end = map(float, self._line().split())
        return begin, end

    def close(self) -> None:
        """End it."""
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@cache
def _log_into_nothing() -> None:
    # For the whole process: with a handler for each clock, each would log the lines of all.
    log_to(open(os.devnull, "w"), "logfmt")  # noqa: SIM115


def _main(file: str, url: str, token: str) -> None:
    clock = SteppedClock(url, list(load(file).events.values()), token=token)
    print("ready", flush=True)
    for _line in sys.stdin:
        begin, end = clock.span()
        print(begin, end, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:4])
