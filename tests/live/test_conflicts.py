"""Two projects on one server with the same event under the default application."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from clock.cli.status import exit_code
from clock.ledger.clocks import read_clocks
from clock.observe.snapshot import read_snapshot
from clock.observe.status import status
from tests.live.clock_process import ClockProcess, logged_at
from tests.live.conftest import StartClock
from tests.live.waiting import wait_for

Write = Callable[[str, str], Path]


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """The schedule file of a project, whose one event is the same but for its queue."""

    def write(name: str, queue: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        file = folder / f"{name}.py"
        file.write_text(
            f"from clock import every\nevery('1 second', 'tasks.x', name='x', queue={queue!r})\n"
        )
        return file

    return write


@pytest.mark.long
def test_two_projects_that_steal_each_others_jobs_are_in_both_logs_and_the_status(
    redis: Redis, project: Write, start_clock: StartClock
) -> None:
    clocks = [
        start_clock(project(name, name), CLOCK_CONFLICT_AFTER="2") for name in ("prod", "staging")
    ]
    for clock, name, other in zip(clocks, ("prod", "staging"), ("staging", "prod"), strict=True):
        line = clock.wait_for_line("conflict", within=30)
        assert line["level"] == "error"
        assert line["ours"].startswith(f"{name}.py on ")
        assert line["theirs"].startswith(f"{other}.py on ")
        assert line["theirs"].endswith(f":{clocks[1 - clocks.index(clock)].process.pid}")
        assert "--app" in line["remedy"]
    files = wait_for("both have noted it", lambda: _conflicts(redis))
    assert files == {"prod.py", "staging.py"}

    clocks[1].kill()
    clocks[0].wait_for_line("conflict resolved", within=45)
    wait_for("the status is well again", lambda: not _conflicts(redis))


def test_projects_with_their_own_application_do_not_conflict_and_get_all_jobs(
    redis: Redis, project: Write, start_clock: StartClock
) -> None:
    clocks = [
        start_clock(project(name, name), CLOCK_APP=name, CLOCK_CONFLICT_AFTER="2")
        for name in ("prod", "staging")
    ]
    for app in ("prod", "staging"):
        wait_for(f"{app} has beaten twice", partial(_has_beaten, redis, app), within=30)
    assert [clock.lines("conflict") for clock in clocks] == [[], []]
    for clock, name in zip(clocks, ("prod", "staging"), strict=True):
        assert clock.stop() == 0
        assert redis.llen(f"rq:queue:{name}") == len(clock.enqueued())


def test_a_deploy_that_overlaps_within_the_limit_is_not_reported(
    redis: Redis, project: Write, start_clock: StartClock
) -> None:
    old = start_clock(project("old", "default"), CLOCK_CONFLICT_AFTER="60")
    old.wait_for_line("enqueued")
    new = start_clock(project("new", "low"), CLOCK_CONFLICT_AFTER="60")
    wait_for("the new one has beaten twice", lambda: _beats_of(redis, new) >= 3, within=30)
    assert old.stop() == 0
    assert [clock.lines("conflict") for clock in (old, new)] == [[], []]
    assert logged_at(new.wait_for_line("other schedule file")) >= new.spawned


def _conflicts(redis: Redis) -> set[str]:
    snapshot = read_snapshot(redis, "clock")
    app_status = status(snapshot, max(life.last_tick for life in snapshot.lives))
    if app_status.conflicts:
        assert exit_code(app_status) == 7
    return {life.file for conflict in app_status.conflicts for life in conflict.clocks}


def _has_beaten(redis: Redis, app: str) -> bool:
    return sum(life.beats for life in read_clocks(redis, app)) >= 3


def _beats_of(redis: Redis, clock: ClockProcess) -> int:
    return sum(life.beats for life in read_clocks(redis, "clock") if life.pid == clock.process.pid)
