"""``python -m benchmarks.faults.contest``: the same faults for this clock and for other schedulers.

One process of each, started again whenever it ends. Not all of them say which occurrence a message
stands for, so an event's messages are matched with its occurrences by the time at which they came,
in favour of the scheduler: one that comes late stands for one that was missed. Messages that are
left were doubled, occurrences that are left were lost.
"""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.faults.arrivals import Arrivals, match
from benchmarks.faults.faults import (
    Fault,
    cut_reply,
    cut_request,
    drop_replies,
    flush_scripts,
    kill,
    kill_server,
    suspend_server,
)
from benchmarks.faults.report import machine, record
from benchmarks.faults.rivals import EVENTS, PERIOD, RIVALS, Rival
from benchmarks.faults.stage import Stage

HEADING = "## Other schedulers"

FAULTS = (
    Fault("killed at any moment", kill, 0, 10),
    Fault("server killed", kill_server, 0, 25),
    Fault("server suspended", suspend_server, 0, 25),
    Fault("connection cut in mid-request", cut_request, 0, 15),
    Fault("connection cut in mid-reply", cut_reply, 0, 15),
    Fault("replies dropped for some seconds", drop_replies, 0, 20),
    Fault("scripts flushed", flush_scripts, 0, 20),
)

QUIET = PERIOD + 3.0
"""Seconds without faults at the beginning, and at the end."""


GRACE = 3.0 * PERIOD
"""Seconds that a message may be late and still stand for its occurrence."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one scheduler's occurrences; ``died`` is how often it ended by itself."""

    name: str
    expected: int
    enqueued: int
    lost: int
    doubled: int
    died: int
    kills: int
    outages: int


def contest(rival_type: type[Rival], venv: Path, seed: int, seconds: float) -> Score:
    """Run one scheduler under the faults that ``seed`` gives."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        rival = rival_type(venv, folder)
        stage = Stage(folder, seed, rival.program, slots=1)
        try:
            stage.server.start()
            rival.prepare(stage.server.url)
            return _score(rival, stage, seconds)
        finally:
            stage.close()


def _score(rival: Rival, stage: Stage, seconds: float) -> Score:
    arrivals = Arrivals(stage.server.url, rival.queue, rival.event)
    arrivals.start()
    stage.wait(lambda: len(arrivals.arrived) == EVENTS, 30)
    stage.go_on(QUIET)
    stage.mixed(FAULTS, seconds)
    stage.go_on(QUIET)
    end = time.monotonic()
    kills, died = stage.ends["killed"], stage.ends["died"]
    stage.stop()
    arrivals.stop()
    expected = enqueued = lost = doubled = 0
    for came in arrivals.arrived.values():
        # To half a period before the end, so that none is in question.
        count = int((end - came[0]) / PERIOD + 0.5)
        occurrences = [came[0] + number * PERIOD for number in range(count)]
        before = [at for at in came if at <= occurrences[-1] + PERIOD / 2]
        missing, left = match(before, occurrences, GRACE)
        expected, enqueued = expected + count, enqueued + len(before)
        lost, doubled = lost + missing, doubled + left
    return Score(
        name=f"{rival.name} {rival.version()}",
        expected=expected,
        enqueued=enqueued,
        lost=lost,
        doubled=doubled,
        died=died,
        kills=kills,
        outages=stage.server.kills + stage.server.suspensions,
    )


def table(scores: Sequence[Score]) -> Iterator[str]:
    """The scores, one line each."""
    columns = ("expected", "enqueued", "lost", "doubled", "died", "kills", "outages")
    yield f"{'':<20}" + "".join(f"{column:>10}" for column in columns)
    for score in scores:
        yield f"{score.name:<20}" + "".join(f"{getattr(score, column):>10}" for column in columns)


@click.command()
@click.option(
    "--venv",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    required=True,
)
@click.option("--minutes", type=click.FloatRange(min=0.2), default=2.0, show_default=True)
@click.option("--seed", type=int)
@click.option("--record", "page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(venv: Path, minutes: float, seed: int | None, page: Path | None) -> None:
    """Run every scheduler, all at once, each on a server of its own."""
    seed = secrets.randbits(32) if seed is None else seed
    # So that a contest that is told to end still ends its processes, when their time is over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {seed}, {minutes:g} minutes of faults", flush=True)

    def run(rival: type[Rival]) -> Score:
        return contest(rival, venv, seed, 60 * minutes)

    with ThreadPoolExecutor(len(RIVALS)) as pool:
        scores = list(pool.map(run, RIVALS))
    summary = [f"machine  {machine()}", f"seed     {seed}", "", *table(scores)]
    print("\n".join(summary))
    if page is not None:
        record(page, HEADING, summary)


if __name__ == "__main__":
    main()
