"""The return from an outage of weeks: what fires often does not wait for what is caught up."""

from __future__ import annotations

import time
from datetime import datetime

from redis import Redis

from clock import load
from clock.ledger.clocks import read_clocks
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from tests.live.clock_process import ClockProcess, logged_at
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.waiting import wait_for

AWAY = 72 * 86_400
"""Seconds."""


def test_after_72_days_away_a_quick_event_fires_at_once_and_the_clock_is_alive(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "for n in range(300):",
        # No two have their times in common, and a third of them combine.
        "    period = cron('* * * * *') if n % 3 else cron('* * * * *') | cron('7 7 * * *')",
        "    every(period, 'tasks.x', name=f'minutely {n}', spread='60m',",
        "          catch_up=20 if n % 7 == 0 else 'latest')",
        "every('1 second', 'tasks.x', name='quick')",
    )
    events = list(load(file).events.values())
    began = int(time.time())
    Ledger(redis, app="clock", token="h:1:before").enrol(events, began - AWAY)
    clock = start_clock(file)
    started = logged_at(clock.wait_for_line("started"))
    quick = wait_for("it fires", lambda: _of(clock, "quick"), within=30)
    assert quick[0] - started < 3.0
    wait_for("it goes on", lambda: len(_of(clock, "quick")) >= 4, within=30)
    assert max(at - due for at, due in zip(*_times(clock, "quick"), strict=True)) < 3.0
    assert read_clocks(redis, "clock")[0].is_alive(time.time())
    wait_for("all are caught up", lambda: _is_caught_up(redis, began), within=60)
    record = read_record(redis, "clock", "minutely 1")
    assert record.counters["missed"] >= AWAY // 60 - 2
    assert len(fired(redis, "minutely 1")) >= 1


def _of(clock: ClockProcess, event: str) -> list[float]:
    return _times(clock, event)[0]


def _times(clock: ClockProcess, event: str) -> tuple[list[float], list[float]]:
    """When each of its occurrences was enqueued, and when it was due."""
    lines = [line for line in clock.lines("enqueued") if line["event"] == event]
    due = [datetime.fromisoformat(line["scheduled_at"]).timestamp() for line in lines]
    return [logged_at(line) for line in lines], due


def _is_caught_up(redis: Redis, began: int) -> bool:
    return all(
        read_record(redis, "clock", f"minutely {n}").decided >= began - 60 for n in range(300)
    )
