"""A clock that is alive and enqueues nothing: its own log, and ``clock status``, say so."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from clock.ledger.clocks import ALIVE_WITHIN, read_clocks
from clock.observe.snapshot import read_snapshot
from clock.observe.status import status
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.server import Server
from tests.live.waiting import wait_for

SABOTAGES = {
    "the claim": """\
import time
from clock.ledger.ledger import ClaimResult, Ledger, Settled
def lost(claims):
    return [ClaimResult(each, None, each.scheduled) for each in claims]
Ledger.claim = lambda self, claims, now: lost(claims)
Ledger.send = lambda self, claims, now, latest: claims
Ledger.receive = lambda self, sent: Settled(time.time(), lost(sent))
""",
    "the timetable": """\
from clock.loop.timetable import Timetable
Timetable.begin = lambda self, index, decided, horizon: None
""",
    "the timetable, after a while": """\
from clock.loop.timetable import Timetable
advance = Timetable.advance
Timetable.advance = lambda self, due, decided: None if decided % 2 else advance(self, due, decided)
""",
    "the clock's own next time": """\
from clock.loop.timetable import Timetable
Timetable._following = lambda self, index, after: after + 86400
""",
}


class Sabotaged(ClockProcess):
    """A clock with something of its broken, that calls a second overdue."""

    def __init__(self, file: Path, url: str, sabotage: str) -> None:
        broken = file.with_name("broken.py")
        broken.write_text(f"{sabotage}\nfrom clock.cli import main\nmain()\n")
        self.name = "broken"
        self.out, self.err = file.with_name("broken.out"), file.with_name("broken.err")
        self.spawned = time.time()
        words = [file.name, "--url", url, "--log", "json", "--overdue-after", "1"]
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, broken.name, *words],
                cwd=file.parent,
                env=bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )


@pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=SABOTAGES)
def test_a_clock_that_enqueues_nothing_logs_it_and_the_health_check_fails(
    sabotage: str, server: Server, write_schedule: WriteSchedule
) -> None:
    file = write_schedule(
        "every('1 second', 'tasks.x', name='first')", "every('1 second', 'tasks.x', name='lost')"
    )
    clock = Sabotaged(file, server.url, sabotage)
    try:
        wait_for(
            "it says which event is overdue",
            lambda: "lost" in {line.get("event") for line in clock.lines("overdue")},
        )
        code, answer = _status(file.parent, server.url, "--overdue-after", "1")
        assert (code, answer["healthy"]) == (7, False)
        assert "lost" in answer["overdue"]
        assert [life["pid"] for life in answer["clocks"]] == [clock.process.pid]
        assert clock.is_alive()
    finally:
        sys.stdout.write(clock.log())
        clock.kill()


def test_a_working_clock_is_healthy_and_a_killed_one_is_not(
    server: Server, redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule("every('1 second', 'tasks.x')")
    clock = start_clock(file)
    clock.wait_for_line("enqueued")
    wait_for("it has said that it is alive", lambda: read_clocks(redis, "clock"))
    code, answer = _status(file.parent, server.url)
    assert (code, answer["healthy"], answer["files_without_a_clock"]) == (0, True, [])
    killed = clock.kill()
    later = status(read_snapshot(redis, "clock"), killed + ALIVE_WITHIN)
    assert (later.has_clocks, later.lives[0].stopped) == (False, None)


def test_a_clock_that_was_asked_to_stop_is_gone_at_once(
    server: Server, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule("every('1 second', 'tasks.x')")
    clock = start_clock(file)
    clock.wait_for_line("enqueued")
    assert clock.stop() == 0
    code, answer = _status(file.parent, server.url)
    assert (code, answer["clocks"]) == (6, [])


def _status(folder: Path, url: str, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``clock status``, and what it says; it has no schedule file."""
    ended = subprocess.run(
        [sys.executable, "-m", "clock", "status", "--json", "--url", url, *words],
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, json.loads(ended.stdout)
