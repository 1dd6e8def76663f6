"""Workers under a process manager that runs a Procfile."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from redis import Redis
from rq import Retry
from rq.job import JobStatus

from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.processes import needs_proc, processes_in
from tests.live.server import Server
from tests.live.waiting import wait_for
from tests.live.worker_process import worker_environment
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = needs_proc


def test_a_stopping_process_manager_finishes_short_jobs_and_requeues_long_ones(
    redis: Redis, server: Server, work_folder: Path
) -> None:
    worker = f"{sys.executable} -m rq.cli worker -w clock.worker.Worker -c settings"
    (work_folder / "Procfile").write_text(
        f"short: {worker} --name short high\nlong: {worker} --name long low\n"
    )
    # honcho kills what is left after five seconds.
    (work_folder / "settings.py").write_text(f"REDIS_URL = {server.url!r}\nGRACE = '2s'\n")
    short = enqueue_occurrence(redis, "nap", 1.5, queue="high")
    long = enqueue_occurrence(redis, "nap", 60, queue="low", retry=Retry(1))
    with (work_folder / "honcho.out").open("wb") as out:
        honcho = subprocess.Popen(
            [sys.executable, "-m", "honcho", "start"],
            cwd=work_folder,
            env=worker_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    noted = work_folder / "noted.txt"
    try:
        wait_for(
            "both jobs run", lambda: noted.exists() and len(noted.read_text().splitlines()) == 2
        )
        honcho.send_signal(signal.SIGTERM)
        assert honcho.wait(timeout=15) == 128 + signal.SIGTERM
    finally:
        honcho.kill()
        printed = (work_folder / "honcho.out").read_text()
        sys.stdout.write(printed)

    assert "sending SIGKILL" not in printed
    assert processes_in(work_folder) == {}
    assert short.get_status() == JobStatus.FINISHED
    assert long.get_status() == JobStatus.QUEUED
    outcomes = {run.worker: run.outcome for run in read_runs(redis, "clock", EVENT)}
    assert outcomes == {"short": RunOutcome.SUCCEEDED, "long": RunOutcome.STOPPED}
    assert redis.smembers("rq:workers") == set()
