"""What the hot paths cost, counted. A bound fails when something costs twice as much.

It fails too where something costs half of what is written in ``COSTS``: then the new figure belongs
there, or the bound would let it double unseen. Seconds are the machine's, and are left to
``make bench``.
"""

from __future__ import annotations

import io
import logging
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from redis import Redis

from benchmarks.instructions import instructions
from clock import cron, load
from clock.ledger.ledger import Claim, Ledger
from clock.log import log_to
from clock.loop.due import TimetableRow
from clock.loop.loop import Loop
from clock.loop.timetable import Timetable
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.recurrence import Recurrence, between
from clock.recurrence.zone import zone
from clock.schedule.event import Event
from clock.stop import Stop

COSTS = {
    # Instructions of Python, for one event among many or for one next time.
    "tick": 808,
    "claim": 98,
    "timetable": 225,
    "next time of a cron line": 185,
    "next time of an interval": 20,
    "read": 1235,
    "enrol": 934,
    # For one event among those of one claim, on the server.
    "commands of a claim": 2.1,
    "bytes of a claim": 16.3,
}
"""What each costs. When a test here fails for a good reason, this is what to change."""

COUNT = 200
"""Events that are claimed together: fewer than fit into one round trip."""

NOW = 1_800_000_000


def test_a_tick_costs_no_more_instructions_than_its_bound(
    redis: Redis, tmp_path: Path, silence: None
) -> None:
    now = float(NOW)
    events = _events(tmp_path, COUNT)
    loop = Loop(events, Ledger(redis, app="costs", token="t"), Stop(), now=lambda: now)
    loop.tick()
    for _ in range(2):
        now += 59.5
        loop.tick()
        now += 0.5
        tick = instructions(loop.tick)
    assert redis.llen("rq:queue:default") == 2 * COUNT
    _check("tick", tick / COUNT)


def test_a_claim_costs_no_more_instructions_than_its_bound(redis: Redis, tmp_path: Path) -> None:
    events = _events(tmp_path, COUNT)
    ledger = Ledger(redis, app="costs", token="t")
    ledger.enrol(events, NOW - 1)
    ledger.claim([Claim(event, NOW) for event in events], NOW)
    claims = [Claim(event, NOW + 60) for event in events]
    _check("claim", instructions(lambda: ledger.claim(claims, NOW + 60)) / COUNT)
    assert redis.llen("rq:queue:default") == 2 * COUNT


def test_enrolling_costs_no_more_instructions_than_its_bound(redis: Redis, tmp_path: Path) -> None:
    events = _events(tmp_path, COUNT)
    ledger = Ledger(redis, app="costs", token="t")
    ledger.enrol(events, NOW)
    _check("enrol", instructions(lambda: ledger.enrol(events, NOW)) / COUNT)


def test_the_timetable_costs_no_more_instructions_than_its_bound() -> None:
    rules = [_cron(f"*/5 {hour}-23 * * *") for hour in range(10)]
    timetable = Timetable([TimetableRow(recurrence=rules[n % len(rules)]) for n in range(COUNT)])
    for index in range(COUNT):
        timetable.begin(index, NOW)
    _through(timetable, NOW + 86_400)
    moved: list[int] = []
    cost = instructions(lambda: moved.append(_through(timetable, NOW + 90_000)))
    assert moved[0] > COUNT
    _check("timetable", cost / moved[0])


@pytest.mark.parametrize(
    ("name", "recurrence"),
    [
        ("next time of a cron line", lambda: _cron("*/5 * * * *")),
        ("next time of an interval", lambda: Elapsed(period=90, anchor=0)),
    ],
    ids=["cron", "elapsed"],
)
def test_a_next_time_costs_no_more_instructions_than_its_bound(
    name: str, recurrence: Callable[[], Recurrence]
) -> None:
    _check(name, instructions(_asking(recurrence(), COUNT)) / COUNT)


def test_reading_a_file_costs_no_more_instructions_than_its_bound(tmp_path: Path) -> None:
    few, many = (_write(tmp_path, count) for count in (COUNT, 3 * COUNT))
    load(few)
    # The difference: what reading any file costs is left out.
    more = instructions(lambda: load(many)) - instructions(lambda: load(few))
    _check("read", more / (2 * COUNT))


@pytest.mark.parametrize("name", ["commands of a claim", "bytes of a claim"])
def test_a_claim_sends_no_more_to_the_server_than_its_bound(
    name: str, redis: Redis, tmp_path: Path
) -> None:
    events = _events(tmp_path, COUNT)
    ledger = Ledger(redis, app="costs", token="t")
    ledger.enrol(events, NOW - 1)
    ledger.claim([Claim(event, NOW) for event in events], NOW)
    before = _served(redis)[name]
    ledger.claim([Claim(event, NOW + 60) for event in events], NOW + 60)
    _check(name, (_served(redis)[name] - before) / COUNT)


def test_instructions_are_counted_alike_every_time() -> None:
    work = _asking(_cron("*/5 * * * *"), COUNT)
    counted = {instructions(work) for _ in range(3)}
    assert len(counted) == 1


def test_twice_the_work_counts_twice() -> None:
    recurrence = _cron("*/5 * * * *")
    once, twice = (instructions(_asking(recurrence, times)) for times in (COUNT, 2 * COUNT))
    assert twice / once == pytest.approx(2, rel=0.05)


@pytest.fixture
def silence() -> Iterator[None]:
    """The log as the command writes it, and nobody who listens in."""
    logger = logging.getLogger("clock")
    level, propagate = logger.level, logger.propagate
    handler = log_to(io.StringIO(), "logfmt")
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)
    logger.propagate = propagate


def _check(name: str, cost: float) -> None:
    written = COSTS[name]
    assert cost < 2 * written, f"{name!r} costs {cost:.1f}, twice what it did ({written})"
    assert cost > written / 2, f"{name!r} costs {cost:.1f} now: write that into COSTS"


def _write(folder: Path, count: int) -> Path:
    file = folder / f"{count}.py"
    file.write_text(
        "from clock import every\n"
        f"for number in range({count}):\n"
        "    every('minute', 'tasks.x', name=f'event {number}', args=[number])\n"
    )
    return file


def _events(folder: Path, count: int) -> list[Event]:
    return list(load(_write(folder, count)).events.values())


def _cron(line: str) -> Recurrence:
    return cron(line).recurrence(zone("America/New_York"), "after", "first")


def _asking(recurrence: Recurrence, times: int) -> Callable[[], object]:
    """Asks for the next time after each of so many occurrences, with no instruction of its own."""
    instants = list(islice(between(recurrence, NOW, None), times))
    return lambda: deque(map(recurrence.next, instants), maxlen=0)


def _through(timetable: Timetable, now: int) -> int:
    """Let all that is due at ``now`` go by; how often something was."""
    gone = 0
    while due := timetable.due(now, 500):
        for row in due:
            timetable.advance(row, row.last)
        gone += len(due)
    return gone


def _served(redis: Redis) -> dict[str, int]:
    """What the server has done so far, but for what is asked here."""
    commands = redis.info("commandstats")
    asked = {"cmdstat_info"}
    return {
        "commands of a claim": sum(
            stat["calls"] for name, stat in commands.items() if name not in asked
        ),
        "bytes of a claim": redis.info("stats")["total_net_input_bytes"],
    }
