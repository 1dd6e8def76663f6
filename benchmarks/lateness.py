"""How late is an event that is alone?

One event fires every second on an idle machine. The command of the clock and `rq cron` (its
command, with a cron line of six fields) take turns of twelve seconds until each has run for a
minute; at the same time they would delay each other. A reader that blocks on the queue (BLPOP)
takes every job as it arrives and reads the wall clock. Lateness is that instant minus the scheduled
second, so it includes the sending, the script and the waking of the reader. `enqueued_at`, which
both write before they send, would make both look better.

The command of the clock runs once more beside ten other events whose conditions wait thirty
seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis import Redis

from benchmarks.answer import Answer, Goal
from benchmarks.process import clock, running
from benchmarks.server import QUEUE, server

OURS = 'from clock import every\n\nevery("1 second", "math.floor", args=[1])\n'
BESIDE = OURS + (
    "import time\n\n"
    "for n in range(10):\n"
    '    every("1 second", "math.floor", args=[1], name=f"waits {n}", queue="other",\n'
    "          if_=lambda occurrence: time.sleep(30))\n"
)
THEIRS = (
    "import math\n\nfrom rq import cron\n\n"
    'cron.register(math.floor, "default", args=(1,), cron="* * * * * *")\n'
)


def measure(*, quick: bool = False) -> Answer:
    """The goals, and what lies behind them."""
    turns, seconds = (1, 2) if quick else (5, 12)
    late: list[float] = []
    their_late: list[float] = []
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for _ in range(turns):
            with _scheduler(folder / "schedule.py", OURS, is_clock=True) as ours:
                late += lateness_of(ours, seconds)
            with _scheduler(folder / "cron_config.py", THEIRS, is_clock=False) as theirs:
                their_late += lateness_of(theirs, seconds)
        with _scheduler(folder / "beside.py", BESIDE, is_clock=True) as beside:
            late_beside = lateness_of(beside, turns * seconds)
    p99, their_p99 = percentile(late, 99), percentile(their_late, 99)
    return Answer(
        goals=[
            Goal(
                what=f"lateness, p99 of {len(late)} seconds",
                measured=1000 * p99,
                goal=min(5.0, 1000 * their_p99),
                least=20.0,
                unit="ms",
            ),
            Goal(
                what="the same beside ten conditions that wait 30 s, p99",
                measured=1000 * percentile(late_beside, 99),
                goal=5.0,
                least=20.0,
                unit="ms",
            ),
        ],
        facts=[
            f"lateness over {len(late)} s: {spelled(late)}",
            f"rq cron, in turns with it: {spelled(their_late)}",
            f"beside ten conditions that wait 30 s: {spelled(late_beside)}",
        ],
    )


def spelled(late: Sequence[float]) -> str:
    """Median and percentiles of latenesses in seconds."""
    named = {"median": median(late), "p90": percentile(late, 90), "p99": percentile(late, 99)}
    return ", ".join(f"{name} {1000 * value:.2f} ms" for name, value in named.items())


def percentile(values: Sequence[float], percent: int) -> float:
    """The least of the values that ``percent`` of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1]


@contextmanager
def _scheduler(file: Path, text: str, *, is_clock: bool) -> Iterator[str]:
    file.write_text(text)
    with server() as url:
        cron = [sys.executable, "-m", "rq.cli", "cron", str(file), "-u", url]
        with running(*(clock(file, url) if is_clock else cron)):
            yield url


def lateness_of(url: str, count: int) -> list[float]:
    """How late each of ``count`` jobs came, the first one left out: it has a start behind it."""
    late = []
    with Redis.from_url(url) as connection:
        assert connection.blpop([QUEUE], timeout=30), "nothing came"
        for _ in range(count):
            assert connection.blpop([QUEUE], timeout=5), "nothing came"
            # Nobody is half a second early or late here; what is would show as half a second.
            late.append((time.time() + 0.5) % 1.0 - 0.5)
    return late
