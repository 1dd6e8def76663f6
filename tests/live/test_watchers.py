"""Outside watchers, pinged by real clocks and workers."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from redis import Redis
from rq.job import JobStatus

from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, enqueue_occurrence
from tests.watchers.receiver import receiver


def test_a_worker_pings_for_each_run_of_a_watched_event(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    with receiver() as watcher:
        (work_folder / "settings.py").write_text(f"PINGS = {{{EVENT!r}: {watcher.url!r}}}\n")
        enqueue_occurrence(redis, "add", 1, 2)
        enqueue_occurrence(redis, "fail")
        start_worker("--burst", "-c", "settings").process.wait(timeout=30)
        assert watcher.paths() == ["/key-123/start", "/key-123", "/key-123/start", "/key-123/fail"]
        runs = [ping.run for ping in watcher.heard]
        assert runs[0] == runs[1] != runs[2] == runs[3]
        assert b"ValueError" in watcher.heard[3].body


def test_a_job_does_not_wait_for_a_receiver_that_hangs(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    with receiver(hangs=True) as watcher:
        (work_folder / "settings.py").write_text(f"PINGS = {{{EVENT!r}: {watcher.url!r}}}\n")
        # Its timeout is shorter than a worker waits for the receiver.
        job = enqueue_occurrence(redis, "add", 1, 2, job_timeout=2)
        worker = start_worker("--burst", "-c", "settings")
        wait_for("the job is finished", lambda: job.get_status() == JobStatus.FINISHED)
        ended = time.monotonic()
        worker.process.wait(timeout=30)
        assert time.monotonic() - ended < 6
        job.refresh()  # type: ignore[no-untyped-call]
        assert job.started_at is not None
        assert job.ended_at is not None
        assert (job.ended_at - job.started_at).total_seconds() < 1.5
        assert job.get_status() == JobStatus.FINISHED


def test_a_clock_pings_the_address_of_the_environment(
    write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    with receiver() as watcher:
        file = write_schedule("every('1 second', 'tasks.x')")
        clock = start_clock(file, CLOCK_PING_URL=watcher.url)
        wait_for("the receiver hears of it", watcher.paths)
        assert watcher.paths() == ["/key-123"]
        assert clock.is_alive()
        assert "key-123" not in clock.log()


def test_a_clock_whose_watcher_hangs_ticks_and_stops_normally(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    with receiver(hangs=True) as watcher:
        file = write_schedule("every('1 second', 'tasks.x')")
        clock = start_clock(file, CLOCK_PING_URL=watcher.url)
        wait_for("the receiver hears of it", watcher.paths)
        before = len(clock.enqueued())
        wait_for("it goes on", lambda: len(clock.enqueued()) >= before + 3)
        assert all(line["lateness"] < 0.9 for line in clock.lines("enqueued")[1:])
        begin = time.monotonic()
        clock.send(signal.SIGTERM)
        assert clock.process.wait(timeout=10) == 0
        assert time.monotonic() - begin < 1.5
