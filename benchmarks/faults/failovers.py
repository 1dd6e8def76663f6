"""``python -m benchmarks.faults.failovers``: clocks that find their server through sentinels, and
failovers among what is done to them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from benchmarks.faults.accounts import Accounts
from benchmarks.faults.campaign import APP, LONGEST_PERIOD, PATIENCE, SLOTS, Say
from benchmarks.faults.checker import is_decided
from benchmarks.faults.command import command
from benchmarks.faults.intake import Intake
from benchmarks.faults.overthrow import CLOCK_FAULTS, failovers
from benchmarks.faults.pair import Pair
from benchmarks.faults.program import CLOCK_BY_SENTINELS, SCHEDULE, SETTINGS
from benchmarks.faults.report import errors, machine, of_clocks, of_occurrences
from benchmarks.faults.sentinels import MASTER
from benchmarks.faults.slot import End
from benchmarks.faults.stage import Stage
from benchmarks.faults.totals import Totals, add_up
from clock.ledger.ledger import Ledger
from clock.schedule.load import load

Done = TypeVar("Done")

ALONE = 0.4
"""The share of the time in which each kind of failover is alone."""

LATE = 2
"""Seconds that a clock which went over may be late."""

GOES_OVER = 20.0
"""Seconds that servers and clocks have until all events are up to date again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the stage went; see ``benchmarks.faults.campaign.Outcome``."""

    seed: int
    seconds: float
    totals: Totals
    strikes: Counter[str]
    ends: Counter[End]
    starts: int
    failovers: int
    misbehaved: list[str]
    server: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost, doubled or strange but what primaries took into oblivion."""
        return self.totals.verdict.is_clean and not self.misbehaved


class Failovers:
    """Up to three clocks and workers that follow the sentinels, and what is done to them."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        """Everything is written into ``folder``; ``say`` is told how it goes."""
        self._pair = Pair(folder / "servers", APP)
        (folder / f"{SETTINGS}.py").write_text(f"SENTINEL = {self._pair.settings!r}\n")
        self._stage = Stage(folder, seed, CLOCK_BY_SENTINELS, slots=SLOTS, server=self._pair)
        self.failovers = failovers(self._pair)
        self.faults = (*self.failovers, *CLOCK_FAULTS)
        self._events = list(load(str(SCHEDULE)).events.values())
        self._seed = seed
        self._say = say

    def run(self, seconds: float) -> Outcome:
        """Run it, and judge."""
        begin = time.monotonic()
        try:
            self._pair.start()
            return self._run(seconds, begin)
        finally:
            self._stage.close()

    def _run(self, seconds: float, begin: float) -> Outcome:
        stage, pair = self._stage, self._pair
        stage.wait(lambda: pair.is_well, 10, restart=False)
        events = self._events
        since = int(time.time())
        with Redis.from_url(pair.url) as connection:
            Ledger(connection, app=APP, token="campaign").enrol(events, since)
        intake = Intake(self._follow(), APP, events, pair.lineage)
        accounts = Accounts(self._follow(), APP)
        intake.start()
        accounts.start()

        # A clock that asks the sentinels only after the first failover would not have to go over.
        stage.wait(
            lambda: all(slot.age > CLOCK_BY_SENTINELS.longest_start for slot in stage.slots), 20
        )
        self._wait_for_claims(accounts, "the start")
        for fault in self.failovers:
            stage.alone([fault], ALONE * seconds / len(self.failovers), self._say)
            self._wait_for_claims(accounts, fault.name)
        self._say("mixed: all of them, and those of clocks")
        stage.mixed(self.faults, (1 - ALONE) * seconds)
        until = int(time.time())
        self._wait_until_decided(accounts, until)
        stage.stop()

        records = self._insist(accounts.stop)
        self._insist(intake.stop)
        totals = add_up(
            events,
            since=since,
            until=until,
            taken=intake.taken,
            reasons=accounts.known(pair.lineage),
            records=records,
            forgotten=pair.forgotten,
            lineage=pair.lineage,
        )
        totals.verdict.strange += intake.flaws
        totals.verdict.early += intake.early
        return Outcome(
            seed=self._seed,
            seconds=time.monotonic() - begin,
            totals=totals,
            strikes=stage.strikes,
            ends=stage.ends,
            starts=stage.starts,
            failovers=pair.failovers,
            misbehaved=stage.misbehaved,
            server=pair.version,
        )

    def _insist(self, action: Callable[[], Done]) -> Done:
        """Do what needs a primary, which the sentinels of a busy machine may miss for a while."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._stage.wait(lambda: self._pair.is_well, PATIENCE, restart=False)
            try:
                return action()
            except (RedisError, OSError):
                if time.monotonic() > deadline:
                    raise

    def _follow(self) -> Redis:
        """A connection to the primary, as a worker has it."""
        at_once = Retry(NoBackoff(), 0)
        patience = {"socket_timeout": 3, "socket_connect_timeout": 2, "retry": at_once}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            self._pair.settings["INSTANCES"], sentinel_kwargs=patience, **patience
        )
        primary: Redis = sentinel.master_for(MASTER)  # type: ignore[no-untyped-call]
        return primary

    def _wait_for_claims(self, accounts: Accounts, fault: str) -> None:
        """Of failovers alone no clock is started again, so each must go over by itself."""

        def is_up_to_date() -> bool:
            return self._is_decided(accounts, int(time.time()) - LATE)

        if not self._stage.wait(_seldom(is_up_to_date), GOES_OVER):
            self._stage.misbehaved.append(f"no clock claimed on the primary after {fault!r}")

    def _is_decided(self, accounts: Accounts, until: int) -> bool:
        with suppress(RedisError, OSError):
            return self._pair.is_well and is_decided(
                self._events, accounts.read(), until - LONGEST_PERIOD, until
            )
        return False

    def _wait_until_decided(self, accounts: Accounts, until: int) -> None:
        self._say("calm: what is due is made up")

        def is_over() -> bool:
            return self._is_decided(accounts, until)

        self._stage.go_on(LONGEST_PERIOD + 1)
        self._stage.wait(_seldom(is_over), PATIENCE)


def _seldom(fact: Callable[[], bool]) -> Callable[[], bool]:
    looked = 0.0

    def look() -> bool:
        nonlocal looked
        if time.monotonic() - looked < 1:
            return False
        looked = time.monotonic()
        return fact()

    return look


def lines(outcome: Outcome) -> Iterator[str]:
    """The summary, line by line."""
    totals = outcome.totals
    yield f"machine                {machine()}"
    yield f"servers                {outcome.server}, a primary, its replica, three sentinels"
    yield f"seed                   {outcome.seed}"
    yield f"minutes                {outcome.seconds / 60:.1f}"
    yield f"failovers              {outcome.failovers:>7}"
    yield ""
    yield from of_occurrences(totals.verdict)
    yield ""
    yield f"where a replica lagged {totals.overthrown:>7}"
    yield f"  taken twice, back on its queue      {totals.back_on_queue:>7}"
    yield f"  taken twice, claimed again          {totals.claimed_again:>7}"
    yield f"  taken once, its record gone         {totals.gone_but_taken:>7}"
    yield f"  never taken, job and record gone    {totals.gone:>7}"
    yield f"  not fired, the reason gone          {totals.gone_undecided:>7}"
    yield ""
    yield from of_clocks(outcome.starts, outcome.ends, outcome.misbehaved)
    yield "faults begun"
    for name, count in outcome.strikes.items():
        yield f"  {name:<36}{count:>7}"
    yield from errors(totals.verdict, outcome.misbehaved)


def _run(folder: Path, seed: int, say: Say, seconds: float) -> tuple[Sequence[str], bool]:
    outcome = Failovers(folder, seed, say).run(seconds)
    return list(lines(outcome)), outcome.is_clean


main = command(
    _run,
    about="Run real clocks through failovers, and count what RQ received.",
    prefix="failovers-",
    heading="## Failovers",
)

if __name__ == "__main__":
    main()
