"""A server that is killed while jobs run, and a stop of every process under load."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Retry

from benchmarks.faults.proxy import Loss, Proxy
from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.conftest import StartWorker
from tests.live.processes import children_of, needs_proc
from tests.live.server import Server
from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, enqueue_occurrence

pytestmark = [needs_proc, pytest.mark.timeout(120)]


@pytest.mark.long
def test_jobs_of_living_workers_go_on_over_a_server_that_comes_back_from_a_snapshot(
    tmp_path: Path, work_folder: Path, start_worker: StartWorker
) -> None:
    server = ValkeyProcess(tmp_path / "valkey")
    server.start()
    try:
        redis = Redis.from_url(server.url)
        jobs = [enqueue_occurrence(redis, "nap", 22 + n, retry=Retry(2)) for n in range(4)]
        workers = [start_worker(url=server.url, CLOCK_PROCESSES="2") for _ in range(2)]
        noted = work_folder / "noted.txt"
        wait_for("all run", lambda: noted.exists() and noted.read_text().count("begin") == 4)
        redis.save()
        server.kill()
        server.start()
        wait_for("all end", lambda: all(job.is_finished for job in jobs), within=60)
        assert noted.read_text().count("begin") == 4
        assert [run.outcome for run in read_runs(redis, "clock", EVENT)] == [
            RunOutcome.SUCCEEDED
        ] * 4
        for worker in workers:
            assert worker.stop() < 10
    finally:
        server.stop()


def test_a_worker_stops_in_time_though_its_server_is_away_and_a_child_died(
    tmp_path: Path, work_folder: Path, start_worker: StartWorker
) -> None:
    server = ValkeyProcess(tmp_path / "valkey")
    server.start()
    try:
        enqueue_occurrence(Redis.from_url(server.url), "nap", 60)
        worker = start_worker(url=server.url, CLOCK_GRACE="2")
        noted = work_folder / "noted.txt"
        wait_for("it runs", lambda: noted.exists() and "begin" in noted.read_text())
        server.kill()
        child = int(noted.read_text().split()[1])
        os.kill(child, signal.SIGKILL)
        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(timeout=20)
    finally:
        server.stop()


def test_a_worker_goes_on_where_a_reply_never_comes(
    server: Server, work_folder: Path, start_worker: StartWorker
) -> None:
    # What the worker asks first when a child of it has died.
    proxy = Proxy(server.port, b"$3\r\nGET\r\n", lambda: None)
    try:
        redis = Redis.from_url(server.url)
        enqueue_occurrence(redis, "nap", 60, retry=Retry(1))
        start_worker(url=proxy.url)
        noted = work_folder / "noted.txt"
        wait_for("it runs", lambda: noted.exists() and "begin" in noted.read_text())
        proxy.arm(Loss.SILENCE)
        os.kill(int(noted.read_text().split()[1]), signal.SIGKILL)
        wait_for("it runs again", lambda: noted.read_text().count("begin") == 2, within=14)
        assert proxy.lost[Loss.SILENCE] == 1
    finally:
        proxy.close()


def test_a_job_whose_taker_was_stopped_before_it_knew_waits_again(
    server: Server, start_worker: StartWorker
) -> None:
    proxy = Proxy(server.port, b"clock:step:", lambda: None)
    try:
        redis = Redis.from_url(server.url)
        worker = start_worker(url=proxy.url)
        worker.wait_until_listening()
        assert enqueue_occurrence(redis, "add", 1, 2).latest_result(timeout=15) is not None
        proxy.arm(Loss.SILENCE)
        job = enqueue_occurrence(redis, "add", 1, 2)
        wait_for("it is taken", lambda: job.get_status() == "started")
        assert worker.stop() < 10
        assert job.get_status() == "queued"
        assert Queue(connection=redis).job_ids == [job.id]
        assert [run.job == job.id for run in read_runs(redis, "clock", EVENT)] == [False]
        assert [*redis.scan_iter("rq:execution*"), *redis.scan_iter("rq:wip:*")] == []
    finally:
        proxy.close()


def test_a_stop_of_every_process_under_load_loses_and_doubles_nothing(
    redis: Redis, work_folder: Path, start_worker: StartWorker
) -> None:
    queues = ["high", "low"]
    for number in range(600):
        enqueue_occurrence(redis, "nap", 0.01, queue=queues[number % 2], retry=Retry(3))
    workers = [start_worker(*queues, CLOCK_PROCESSES="2", CLOCK_GRACE="5") for _ in range(2)]
    for worker in workers:
        worker.wait_until_listening()
    noted = work_folder / "noted.txt"
    wait_for("they work", lambda: noted.exists() and noted.read_text().count("end") > 50)
    for worker in workers:
        servers = children_of(worker.process.pid)
        children = [child for server in servers for child in children_of(server)]
        for pid in (*children, *servers, worker.process.pid):
            os.kill(pid, signal.SIGTERM)
    assert [worker.process.wait(timeout=15) for worker in workers] == [0, 0]

    hashes = [*redis.scan_iter("rq:job:*", count=1000)]
    statuses = Counter(redis.hget(key, "status") for key in hashes)
    waiting = [
        identifier for name in queues for identifier in Queue(name, connection=redis).job_ids
    ]
    assert statuses == {b"finished": 600 - len(waiting), b"queued": len(waiting)}
    assert len(set(waiting)) == len(waiting) > 0
    ended = noted.read_text().count("end")
    assert ended == noted.read_text().count("begin") == statuses[b"finished"]
