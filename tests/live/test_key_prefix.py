"""Another prefix for RQ's keys, by ``RQ_KEY_PREFIX`` of RQ 3: clock and workers follow RQ."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.browser.web_process import WebProcess
from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.rq_worker import RQWorker
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import ROOT

# Each of these means something in a pattern of Lua, or in a template of Python.
PREFIX = "my.app-{x}"
ENVIRON = {"RQ_KEY_PREFIX": PREFIX}
TOKEN = "a-token-of-tests"
EVERY_SECOND = "every('1 second', 'work.add', args=[1, 2], name='add', overlap='skip')"


@pytest.fixture
def web(server: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of ``clock web`` with actions."""
    process = WebProcess(tmp_path, server.url, "--allow-actions", CLOCK_WEB_TOKEN=TOKEN, **ENVIRON)
    try:
        who = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"{process.address()}/api/v1", headers=who) as client:
            yield client
    finally:
        process.clean_up()


@pytest.fixture
def rq_worker(server: Server, work_folder: Path) -> Iterator[RQWorker]:
    """RQ's own worker."""
    worker = RQWorker(work_folder, server.url, **ENVIRON)
    yield worker
    worker.clean_up()


def test_a_worker_of_ours_runs_and_records_what_a_clock_enqueues(
    redis: Redis,
    server: Server,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_worker: StartWorker,
    web: httpx.Client,
) -> None:
    clock = start_clock(write_schedule(EVERY_SECOND), **ENVIRON)
    worker = start_worker(**ENVIRON)
    runs = wait_for("two runs are recorded", lambda: read_runs(redis, "clock", "add")[1:])
    assert {run.outcome for run in runs} == {RunOutcome.SUCCEEDED}
    (queue,) = web.get("/queues").json()["queues"]
    assert (queue["queue"], queue["workers"]) == ("default", 1)
    assert [worker["name"] for worker in web.get("/workers").json()["workers"]] == ["worker-1"]
    answer = json.loads(_command("status", "--json", "--url", server.url))
    assert [queue["workers"] for queue in answer["queues"]] == [1]
    assert worker.stop() < 10
    assert clock.stop() == 0
    assert _strangers(redis) == []


def test_rq_s_worker_runs_a_clock_s_jobs_and_the_api_requeues_failed_ones(
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    rq_worker: RQWorker,
    web: httpx.Client,
) -> None:
    start_clock(
        write_schedule(EVERY_SECOND, "every('1 second', 'work.fail', name='fail')"), **ENVIRON
    )
    finished = wait_for("a job has finished", lambda: _jobs(web, "finished"))
    assert {job["event"] for job in finished} == {"add"}
    failed = "/jobs/" + wait_for("a job has failed", lambda: _jobs(web, "failed"))[0]["id"]
    assert "ValueError" in web.get(failed).json()["error"]
    assert web.post(f"{failed}/requeue").json()["requeued"] == 1
    wait_for("it failed again", lambda: web.get(failed).json()["status"] == "failed")
    assert web.delete(failed).status_code in {200, 204}
    assert web.get(failed).status_code == 404
    assert _strangers(redis) == []


def test_jobs_of_applications_are_under_the_prefix(
    redis: Redis, server: Server, write_schedule: WriteSchedule
) -> None:
    file = write_schedule("every('1 second', 'tasks.x', name='e', queue='io', overlap='replace')")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.live.prefixed", server.url, str(file)],
        cwd=ROOT,
        env=bare_environment() | ENVIRON,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert _strangers(redis) == []


def _jobs(web: httpx.Client, state: str) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = web.get(f"/jobs?queue=default&state={state}").json()["jobs"]
    return jobs


def _command(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "clock", *arguments],
        env=bare_environment() | ENVIRON,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.stdout


def _strangers(redis: Redis) -> list[bytes]:
    """Keys that are neither RQ's, under its prefix, nor the clock's."""
    ours = (f"{PREFIX}:".encode(), b"clock:")
    return [key for key in redis.scan_iter() if not key.startswith(ours)]
