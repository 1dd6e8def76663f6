"""Code of users in conditions and times: it delays its own event and no other."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from redis import Redis

from clock.ledger.records import read_record
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.jobs import fired
from tests.live.waiting import wait_for

HEAD = (
    "import asyncio, sys, threading, time",
    "from datetime import UTC, date, datetime, timedelta",
)

GOOD = "for n in range(20): every('1 second', 'tasks.good', name=f'good {n}')"


def test_ten_slow_conditions_make_no_other_event_late(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        *HEAD,
        "def waits(occurrence): time.sleep(30); return True",
        "for n in range(10): every('1 second', 'tasks.bad', name=f'bad {n}', if_=waits)",
        GOOD,
    )
    clock = start_clock(file, CLOCK_CONDITION_TIMEOUT="3")
    wait_for("a condition is late", lambda: len(_troubles(clock)) == 10)
    wait_for("more has fired", lambda: len(fired(redis, "good 19")) >= 6)
    assert {event for event, _ in clock.enqueued()} == {f"good {n}" for n in range(20)}
    assert _worst_but_one_in_a_hundred(clock) < 0.25
    assert set(_troubles(clock).values()) == {"its condition has not answered in 3 s"}
    # Once it hangs, the event's other occurrences are errors at once, and none is left behind.
    wait_for("its record goes on", lambda: _errors(redis, "bad 0") >= 4)


@pytest.mark.parametrize(
    "body",
    [
        "sys.exit()",
        "raise asyncio.CancelledError",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "raise Broken",
        "return Undecided()",
        "return asyncio.sleep(0)",
    ],
)
def test_a_condition_that_misbehaves_is_an_error_of_its_event(
    body: str, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        *HEAD,
        "class Broken(Exception):",
        "    def __str__(self): raise RuntimeError('no words')",
        "class Undecided:",
        "    def __bool__(self): raise ValueError('the truth of an array is ambiguous')",
        f"def misbehaves(occurrence): {body}",
        "every('1 second', 'tasks.bad', name='bad', if_=misbehaves)",
        GOOD,
    )
    clock = start_clock(file)
    wait_for("the others fire", lambda: len(fired(redis, "good 0")) >= 3)
    wait_for("the errors are recorded", lambda: _errors(redis, "bad") >= 2)
    assert list(_troubles(clock)) == ["bad"]
    assert len(clock.lines("trouble")) == 1
    assert clock.stop() == 0
    assert clock.err.read_text() == ""


@pytest.mark.parametrize(
    "period",
    [
        "times(blocks)",
        "times(has_an_endless_past)",
        "times(exits)",
        "period('10 seconds') - is_slow",
        "period('10 seconds') - quits",
    ],
)
def test_slow_times_of_users_make_no_other_event_late(
    period: str, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        *HEAD,
        "from clock import period, times",
        "is_read = False",
        "def first(): return datetime(2001, 1, 1, tzinfo=UTC)",
        "def blocks():",
        "    yield first()",
        "    if is_read: time.sleep(3600)",
        "    yield first()",
        "def has_an_endless_past():",
        "    at = first()",
        "    while True:",
        "        yield at",
        "def exits():",
        "    yield first()",
        "    if is_read: sys.exit()",
        "def is_slow(day): return day.year > 2020 and time.sleep(3600)",
        "def quits(day): return day.year > 2020 and sys.exit()",
        f"every({period}, 'tasks.bad', name='bad')",
        GOOD,
        "is_read = True",
    )
    clock = start_clock(file)
    wait_for("the others fire", lambda: len(fired(redis, "good 0")) >= 6)
    assert {event for event, _ in clock.enqueued()} == {f"good {n}" for n in range(20)}
    assert _worst_but_one_in_a_hundred(clock) < 0.25
    assert clock.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_a_condition_is_logged_and_the_next_start_decides(
    number: signal.Signals,
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    tmp_path: Path,
) -> None:
    asked = tmp_path / "asked"
    file = write_schedule(
        *HEAD,
        "from pathlib import Path",
        "def waits(occurrence):",
        f"    asked = Path({str(asked)!r})",
        "    is_first = not asked.exists()",
        "    asked.touch()",
        "    return time.sleep(3600) if is_first else True",
        "every('1 second', 'tasks.x', name='a', if_=waits)",
    )
    clock = start_clock(file)
    wait_for("it is asked", asked.exists)
    begin = time.monotonic()
    assert clock.stop(number) == 0
    assert time.monotonic() - begin < 1.0
    (line,) = clock.troubles()
    assert (line["msg"], line["event"]) == ("abandoned", "a")
    assert line["reason"] == "its condition was still being asked; the next start decides"
    assert clock.err.read_text() == ""
    assert fired(redis, "a") == []
    start_clock(file)
    wait_for("the next one fires", lambda: fired(redis, "a"))


def _troubles(clock: ClockProcess) -> dict[str, str]:
    return {line["event"]: line["reason"] for line in clock.lines("trouble")}


def _errors(redis: Redis, event: str) -> int:
    return read_record(redis, "clock", event).counters["error"]


def _worst_but_one_in_a_hundred(clock: ClockProcess) -> float:
    """Seconds of lateness, of what was due after the start."""
    late = sorted(line["lateness"] for line in clock.lines("enqueued"))
    return float(late[-1 - len(late) // 100])
