"""Rows of a database that another process changes while clocks run and die."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq.utils import as_text

import clock
from clock import keys
from clock.ledger.sources import read_sources
from tests.live.clock_process import ClockProcess
from tests.live.conftest import StartClock
from tests.live.database import SOURCE, Database, PostgreSql, Sqlite, Targets, postgresql
from tests.live.environment import bare_environment
from tests.live.first_release import unpack_first_release
from tests.live.jobs import fired, scheduled
from tests.live.server import Server
from tests.live.waiting import wait_for, wait_until

APP = "clock"

needs_postgresql = pytest.mark.skipif(postgresql() is None, reason="PostgreSQL is not installed")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind."""
    database = Sqlite(tmp_path) if request.param == "sqlite" else PostgreSql()
    yield database
    database.close()


@pytest.fixture
def targets(database: Database) -> Iterator[Targets]:
    """Its rows."""
    targets = Targets(database.url)
    yield targets
    targets.close()


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """A schedule file with the rows as its only events."""
    file = tmp_path / "schedule.py"
    file.write_text(SOURCE.format(url=database.url))
    return file


@pytest.mark.long
def test_each_occurrence_of_a_row_s_life_is_enqueued_once_while_clocks_are_killed(
    redis: Redis, targets: Targets, file: Path, start_clock: StartClock
) -> None:
    targets.insert("lasting", "1 second")
    clocks = [start_clock(file), start_clock(file)]
    wait_for("the first job", lambda: fired(redis, "lasting"))
    for number in range(3):
        # The one that asks, and the other, by turns.
        _live(redis, targets, f"row {number}", clocks[number % 2])
        clocks[number % 2] = start_clock(file)
    for process in clocks:
        process.wait_for_line("started")
    assert [process.stop() for process in clocks] == [0, 0]
    whole = scheduled(redis, "lasting")
    assert whole == list(range(whole[0], whole[-1] + 1))
    assert set(Counter(job.job_id for job in fired(redis)).values()) == {1}
    for number in range(3):
        gone = redis.hget(keys.removed_rows(APP), f"row {number}")
        assert scheduled(redis, f"row {number}")[-1] <= int(gone or 0)


def _live(redis: Redis, targets: Targets, name: str, process: ClockProcess) -> None:
    """The life of a row, in which a clock dies: each second at first, then each second one."""
    targets.insert(name, "1 second")
    begin = wait_for(f"{name} is in force", lambda: _since(redis, name))
    process.kill()
    wait_for(f"{name} fires", lambda: len(scheduled(redis, name)) >= 2)
    targets.change(name, "2 seconds")
    turn = wait_for(f"{name} changed", lambda: _since(redis, name, later_than=begin))
    wait_for(f"{name} fires", lambda: scheduled(redis, name)[-1] > turn)
    targets.delete(name)
    end = int(wait_for(f"{name} is gone", lambda: redis.hget(keys.removed_rows(APP), name)) or 0)
    instants = scheduled(redis, name)
    # An occurrence in the very second of a change may be claimed before it, or never.
    assert [at for at in instants if at < turn] == list(range(begin + 1, turn))
    even = [at for at in range(turn + 1, end) if at % 2 == 0]
    assert [at for at in instants if turn < at < end] == even


def test_a_stopped_database_makes_no_tick_late_and_its_rows_stay_in_force(
    redis: Redis,
    server: Server,
    database: Database,
    targets: Targets,
    file: Path,
    start_clock: StartClock,
) -> None:
    targets.insert("a", "1 second")
    process = start_clock(file)
    wait_for("the first job", lambda: fired(redis, "a"))
    targets.close()
    database.stop()
    line = process.wait_for_line("source failing")
    assert line["source"] == "targets"
    assert _status_code(server.url) == 7
    process.kill()
    # The rows are the ledger's: a clock that never reached the database fires them.
    second = start_clock(file)
    second.wait_for_line("source failing")
    begin = time.time()
    wait_until(begin + 4)
    state = read_sources(redis, APP)["targets"]
    assert state.failing_since is not None
    assert state.failing_since < begin
    database.start()
    second.wait_for_line("source back")
    targets.insert("b", "1 second")
    wait_for("a new row fires", lambda: fired(redis, "b"))
    assert _status_code(server.url) == 0
    assert second.stop() == 0
    instants = scheduled(redis, "a")
    assert instants == list(range(instants[0], instants[-1] + 1))
    assert max(line["lateness"] for line in second.lines("enqueued")[2:]) < 0.5


def test_a_clock_whose_source_does_not_return_stops_normally(
    tmp_path: Path, start_clock: StartClock
) -> None:
    file = tmp_path / "schedule.py"
    file.write_text(
        "import atexit, pathlib, time\n"
        "from clock import source\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "atexit.register((folder / 'ended').touch)\n"
        "def rows():\n"
        "    (folder / 'asked').touch()\n"
        "    time.sleep(3600)\n"
        "source('rows', rows, every=1, tasks=['tasks.*'])\n"
    )
    process = start_clock(file)
    wait_for("the source is asked", (tmp_path / "asked").exists)
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 5
    assert (tmp_path / "ended").exists()


def test_a_bad_row_and_a_forbidden_task_are_left_out_alone(
    redis: Redis, targets: Targets, file: Path, start_clock: StartClock
) -> None:
    for name, period, task in (
        ("good", "1 second", "tasks.x"),
        ("misspelled", "1 secnd", "tasks.x"),
        ("forbidden", "1 second", "os.system"),
        ("of the clock", "1 second", "clock.load"),
    ):
        targets.insert(name, period, task)
    process = start_clock(file)
    wait_for("three jobs", lambda: len(fired(redis, "good")) >= 3)
    refused = {line["row"]: line["reason"] for line in process.lines("row refused")}
    assert refused.keys() == {"misspelled", "forbidden", "of the clock"}
    assert {job.event for job in fired(redis)} == {"good"}
    targets.change("misspelled", "1 second")
    wait_for("it fires when it is corrected", lambda: fired(redis, "misspelled"))
    assert process.stop() == 0


def test_stored_rows_take_effect_at_once_on_every_clock_and_survive_its_kills(
    redis: Redis, tmp_path: Path, start_clock: StartClock
) -> None:
    file = tmp_path / "schedule.py"
    file.write_text(
        "from clock import source, stored, timezone\n"
        "timezone('UTC')\n"
        "source('console', stored(), tasks=['tasks.*'])\n"
    )
    clocks = [start_clock(file), start_clock(file)]
    wait_for("the source is known", lambda: read_sources(redis, APP))
    words = {"every": "1 second", "task": "tasks.x", "catch_up": "all"}
    clock.put(redis, {"name": "lasting", **words})
    wait_for("it fires", lambda: fired(redis, "lasting"), within=3)
    for number in range(2):
        clocks[number].kill()
        name = f"row {number}"
        begin = time.time()
        clock.put(redis, {"name": name, **words})
        first = _first(redis, name)
        # Three seconds where the clock that asks was killed.
        assert first - begin < 1 + 1 + keys.ASKER_TTL
        clocks[number] = start_clock(file)
        clocks[number].wait_for_line("started")
        clock.remove(redis, name)
        end = time.time()
        wait_until(int(end) + 2.5)
        assert scheduled(redis, name)[-1] <= end
    assert [process.stop() for process in clocks] == [0, 0]
    instants = scheduled(redis, "lasting")
    assert instants == list(range(instants[0], instants[-1] + 1))


def test_a_clock_and_a_status_of_0_1_0_leave_rows_alone(
    redis: Redis, server: Server, tmp_path: Path, start_clock: StartClock
) -> None:
    release = unpack_first_release(tmp_path / "0.1.0")
    own = "from clock import every\nevery('1 second', 'tasks.x', name='own')\n"
    old_file, file = tmp_path / "old.py", tmp_path / "schedule.py"
    old_file.write_text(own)
    rows = [{"name": "row", "every": "1 second", "task": "tasks.x"}, {"name": "bad"}]
    file.write_text(
        f"from clock import source\nsource('rows', lambda: {rows}, every=1, tasks=['tasks.*'])\n"
    )
    old, new = start_clock(old_file, **release), start_clock(file)
    wait_for("the row fires", lambda: len(scheduled(redis, "row")) >= 2)
    wait_for("the other event fires", lambda: len(scheduled(redis, "own")) >= 2)
    printed = subprocess.run(
        [sys.executable, "-m", "clock", "status", "--url", server.url],
        env=bare_environment() | dict(release),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert printed.returncode == 0, printed.stderr
    assert "1 event" in printed.stdout
    assert "row" not in printed.stdout.split()
    # One that starts while the rows are there reads the same ledger.
    old.kill()
    third = start_clock(old_file, **release)
    wait_for("it goes on", third.enqueued)
    assert [third.stop(), new.stop()] == [0, 0]
    for name in ("row", "own"):
        instants = scheduled(redis, name)
        assert sorted(set(instants)) == instants
    assert "row" not in {event for event, _ in (*old.enqueued(), *third.enqueued())}
    assert old.troubles() == []


def _first(redis: Redis, name: str) -> int:
    """The first occurrence of a row, once it fired."""
    return wait_for(f"{name} fires", lambda: scheduled(redis, name))[0]


def _status_code(url: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "clock", "status", "--url", url],
        env=bare_environment(),
        capture_output=True,
        check=False,
        timeout=30,
    ).returncode


def _since(redis: Redis, name: str, *, later_than: int = 0) -> int:
    """Since when a row has its present times; 0 where that is not later."""
    line = as_text(redis.hget(keys.rows(APP), name) or "0")
    since = int(line.partition(" ")[0])
    return since if since > later_than else 0
