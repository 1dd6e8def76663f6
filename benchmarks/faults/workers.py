"""``python -m benchmarks.faults.workers``: clocks and workers under faults, till all jobs ended."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError

from benchmarks.faults.campaign import APP, PATIENCE, Say
from benchmarks.faults.checker import Verdict, check, is_decided
from benchmarks.faults.command import command
from benchmarks.faults.ends import Ends, read_ends, remaining
from benchmarks.faults.program import CLOCK_OF_WORK, WORK_SCHEDULE, WORKER
from benchmarks.faults.proxy import Loss
from benchmarks.faults.reasons import Reasons, patient
from benchmarks.faults.report import SHOWN, errors, machine, of_occurrences, of_processes
from benchmarks.faults.server import Server
from benchmarks.faults.slot import End, Slot
from benchmarks.faults.stage import Stage
from benchmarks.faults.work import PERIOD, prepare, read_notes
from benchmarks.faults.worker_faults import WITH_WORKERS
from clock.ledger.ledger import Ledger
from clock.runs.run import RunOutcome
from clock.schedule.load import load

CLOCKS = 2
WORKERS = 3

ALONE = 0.4
"""The share of the time in which each fault is alone."""

ENDS = 120.0
"""Seconds the last workers have for the jobs that are left. Those of dead workers are found after
half a minute, and some again."""

_STARTED = re.compile(r"Worker (\S+): started with PID (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the stage went; see ``benchmarks.faults.campaign.Outcome``."""

    seed: int
    seconds: float
    verdict: Verdict
    ends: Ends
    strikes: Counter[str]
    clock_starts: int
    clock_ends: Counter[End]
    worker_starts: int
    worker_ends: Counter[End]
    server_kills: int
    server_suspensions: int
    losses: Counter[Loss]
    misbehaved: list[str]
    server: str

    @property
    def is_clean(self) -> bool:
        """Whether every occurrence was enqueued once, every job ended as it should, and no process
        died by itself.
        """
        return self.verdict.is_clean and not self.ends.wrong and not self.misbehaved


class Workers:
    """Two clocks and three workers, and what is done to them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        """Everything is written into ``folder``; ``say`` is told how it goes."""
        prepare(folder)
        self._folder = folder
        self._server = Server(folder / "server")
        self._stage = Stage(
            folder,
            seed,
            CLOCK_OF_WORK,
            slots=CLOCKS,
            server=self._server,
            workers=[WORKER] * WORKERS,
        )
        self.faults = WITH_WORKERS
        self._events = list(load(str(WORK_SCHEDULE)).events.values())
        self._seed = seed
        self._say = say

    def run(self, seconds: float) -> Outcome:
        """Run it, and judge."""
        begin = time.monotonic()
        try:
            self._server.start()
            return self._run(seconds, begin)
        finally:
            self._stage.close()

    def _run(self, seconds: float, begin: float) -> Outcome:
        stage = self._stage
        since = int(time.time())
        with patient(self._server.url) as connection:
            Ledger(connection, app=APP, token="campaign").enrol(self._events, since)
        reasons = Reasons(patient(self._server.url), APP)
        reasons.start()
        stage.wait(lambda: all(slot.age > 1 for slot in (*stage.slots, *stage.workers)), 10)
        stage.alone(self.faults, ALONE * seconds, self._say)
        self._say("mixed: all of them")
        stage.mixed(self.faults, (1 - ALONE) * seconds)
        until = int(time.time())
        self._say("calm: what is due is made up, and every job ends")
        stage.wait(lambda: self._is_decided(reasons, until), PATIENCE)
        stage.wanted = 0
        stage.wait(lambda: all(slot.is_empty for slot in stage.slots), PATIENCE)
        stage.wait(self._have_ended, ENDS)
        stage.stop()

        records = reasons.stop()
        with patient(self._server.url) as connection:
            ends, received = read_ends(
                connection,
                APP,
                [event.name for event in self._events],
                read_notes(self._folder),
                _ended(stage.workers),
            )
        verdict = check(
            self._events,
            since=since,
            until=until,
            received=received,
            reasons=reasons.decided,
            records=records,
        )
        slots = (*stage.slots, *stage.workers)
        return Outcome(
            seed=self._seed,
            seconds=time.monotonic() - begin,
            verdict=verdict,
            ends=ends,
            strikes=stage.strikes,
            clock_starts=stage.starts,
            clock_ends=stage.ends,
            worker_starts=stage.worker_starts,
            worker_ends=stage.worker_ends,
            server_kills=self._server.kills,
            server_suspensions=self._server.suspensions,
            losses=sum((slot.proxy.lost for slot in slots if slot.proxy), Counter()),
            misbehaved=stage.misbehaved,
            server=self._server.version,
        )

    def _is_decided(self, reasons: Reasons, until: int) -> bool:
        try:
            return is_decided(self._events, reasons.read(), until - 2 * PERIOD, until)
        except (RedisError, OSError):
            return False

    def _have_ended(self) -> bool:
        with patient(self._server.url) as connection:
            return not remaining(connection)


def _ended(slots: Iterable[Slot]) -> dict[str, float]:
    """When each worker of ``slots`` has ended, by the name that it logged."""
    return {
        name: slot.ended_at[int(pid)]
        for slot in slots
        for name, pid in _STARTED.findall(slot.log.read_text(errors="replace"))
    }


def lines(outcome: Outcome) -> Iterator[str]:
    """The summary, line by line."""
    ends = outcome.ends
    yield f"machine                {machine()}"
    yield f"server                 {outcome.server}, append-only file, appendfsync always"
    yield f"seed                   {outcome.seed}"
    yield f"minutes                {outcome.seconds / 60:.1f}"
    yield ""
    yield from of_occurrences(outcome.verdict)
    yield ""
    yield f"jobs finished          {ends.finished:>7}"
    yield f"jobs failed            {ends.failed:>7}"
    yield f"  given up             {ends.given_up:>7}"
    yield f"ended otherwise        {len(ends.wrong):>7}"
    yield f"runs                   {ends.runs.total():>7}"
    yield f"  their worker died    {ends.runs[RunOutcome.ABANDONED]:>7}"
    yield f"  their child died     {ends.child_deaths:>7}"
    yield f"  error not written    {ends.unwritten:>7}"
    for run_outcome in (RunOutcome.SUCCEEDED, RunOutcome.RETRIED, RunOutcome.FAILED):
        yield f"  {run_outcome:<21}{ends.runs[run_outcome]:>7}"
    yield ""
    yield from of_processes("clocks", outcome.clock_starts, outcome.clock_ends)
    yield from of_processes("workers", outcome.worker_starts, outcome.worker_ends)
    yield f"  found no server      {outcome.worker_ends['died']:>7}"
    yield f"ended badly            {len(outcome.misbehaved):>7}"
    yield f"server killed          {outcome.server_kills:>7}"
    yield f"server suspended       {outcome.server_suspensions:>7}"
    yield f"claims and steps       {outcome.losses.total():>7}"
    for loss in Loss:
        yield f"  {loss:<27}{outcome.losses[loss]:>7}"
    yield "faults begun"
    for name, count in outcome.strikes.items():
        yield f"  {name:<36}{count:>7}"
    yield from errors(outcome.verdict, outcome.misbehaved)
    yield from (f"job: {case}" for case in ends.wrong[:SHOWN])


def _run(folder: Path, seed: int, say: Say, seconds: float) -> tuple[Sequence[str], bool]:
    outcome = Workers(folder, seed, say).run(seconds)
    return list(lines(outcome)), outcome.is_clean


main = command(
    _run,
    about="Run real clocks and workers under faults, and count how every job ended.",
    prefix="workers-",
    heading="## Workers",
)

if __name__ == "__main__":
    main()
