"""What tasks print and log: in the worker's log with job and event, and kept to be read."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, Retry
from rq.command import send_kill_horse_command
from rq.job import Job

from clock.runs.output import LONGEST, RunOutput, read_outputs
from clock.runs.records import read_runs
from clock.runs.run import RunOutcome
from tests.live.conftest import StartWorker
from tests.live.waiting import wait_for
from tests.live.worker_process import WorkerProcess
from tests.live.worker_tasks import EVENT, WORK, enqueue_occurrence

PRINTING = """
import asyncio
import logging
import sys
import threading
import warnings


def everything():
    print("to stdout")
    print("to stderr", file=sys.stderr)
    sys.stdout.buffer.write(b"bytes \\xff\\n")
    sys.stdout.writelines(["one, ", "two\\n"])
    print("10%", end="\\r"); print("100%", end="\\r\\n")
    print("\\x1b[31mred\\x1b[0m \\x07")
    print("lone \\udc80")
    print("\\n\\n")
    logging.getLogger("shop").warning("logged %s", "once")
    warnings.warn("a warning")
    threading.Thread(target=print, args=("from a thread",)).start()
    print("the end", end="")


def much(lines):
    for number in range(lines):
        print(f"line {number} ", "x" * 90)
    print("y" * 20_000)


def crash(number):
    print("last words")
    os.kill(os.getpid(), number)


def leave():
    print("before it left")
    os._exit(3)


def spin():
    while True:
        print("again")


def set_up_logging():
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", force=True)
    logging.getLogger("clock").disabled = True
    logging.info("its own handler")
    print("printed all the same")


def fork_and_print():
    pid = os.fork()
    if pid == 0:
        print("from a fork")
        os._exit(0)
    os.waitpid(pid, 0)
    print("from the task")


async def by_turns(name):
    for number in range(3):
        print(name, number, end="")
        await asyncio.sleep(0.01)
        print(" done")
    await asyncio.to_thread(print, name, "in a thread")
    if name == "a":
        print("last words of a")
        raise ValueError("a")


async def say_and_wait(word):
    print(word)
    await asyncio.sleep(60)
"""


@pytest.fixture(autouse=True)
def printing(work_folder: Path) -> None:
    """The tasks above are in the module of the others."""
    (work_folder / "work.py").write_text(WORK + PRINTING)


def work_off(start_worker: StartWorker, *arguments: str, **environ: str) -> WorkerProcess:
    """A worker that has done all there is."""
    worker = start_worker("--burst", *arguments, **environ)
    assert worker.process.wait(timeout=30) == 0, worker.output()
    return worker


def logged(worker: WorkerProcess) -> list[Mapping[str, str]]:
    """The fields of its lines about output."""
    return [
        dict(part.partition("=")[::2] for part in shlex.split(line))
        for line in worker.lines("output")
    ]


def only(redis: Redis, job: Job) -> RunOutput:
    """The output of the only run of the job."""
    (output,) = read_outputs(redis, "clock", job.id)
    return output


def test_a_line_has_its_job_and_event_in_the_log_and_is_kept(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "say", "hello there", "you")
    worker = work_off(start_worker)
    assert [(line["event"], line["job"], line["line"]) for line in logged(worker)] == [
        (EVENT, job.id, "hello there"),
        (EVENT, job.id, "you"),
    ]
    output = only(redis, job)
    assert (output.text, output.written, output.is_cut) == ("hello there\nyou\n", 16, False)
    assert (output.event, output.outcome, output.attempt) == (EVENT, RunOutcome.SUCCEEDED, 1)
    (run,) = read_runs(redis, "clock", EVENT)
    assert (run.job, run.ended) == (job.id, output.ended)


def test_whatever_a_task_writes_is_lines_that_are_safe_to_show(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "everything")
    worker = work_off(start_worker)
    lines = only(redis, job).text.splitlines()
    expected = [
        "to stdout",
        "to stderr",
        "bytes \N{REPLACEMENT CHARACTER}",
        "one, two",
        "100%",
        "red \\x07",
        "lone \\udc80",
        "",
        "",
        "",
        "logged once",
    ]
    assert lines[: len(expected)] == expected
    assert "UserWarning: a warning" in lines[len(expected)]
    assert lines[-2:] == ["from a thread", "the end"]
    assert [line["line"] for line in logged(worker)] == list(filter(None, lines))
    assert "\x1b[31m" not in worker.output()


def test_the_last_lines_of_much_output_are_kept(redis: Redis, start_worker: StartWorker) -> None:
    job = enqueue_occurrence(redis, "much", 2_000)
    worker = work_off(start_worker)
    output = only(redis, job)
    assert LONGEST - 10_000 < len(output.text) <= LONGEST
    assert output.is_cut
    lines = output.text.splitlines()
    numbers = [int(line.split()[1]) for line in lines[:-3]]
    assert numbers == list(range(numbers[0], 2_000))
    # A huge line is several.
    assert "".join(lines[-3:]) == "y" * 20_000
    assert len(worker.lines("output")) == 2_003


@pytest.mark.parametrize("isolation", ["warm", "job"])
def test_a_job_without_an_event_keeps_its_output_only_where_it_failed(
    redis: Redis, start_worker: StartWorker, isolation: str
) -> None:
    queue = Queue("default", connection=redis)
    good = queue.enqueue("work.say", "good")
    bad = queue.enqueue("work.fail_after", "bad")
    worker = work_off(start_worker, CLOCK_ISOLATION=isolation)
    assert [line["line"] for line in logged(worker)] == ["good", "bad"]
    assert read_outputs(redis, "clock", good.id) == []
    assert (only(redis, bad).text, only(redis, bad).event) == ("bad\n", None)


def test_each_attempt_has_its_own(redis: Redis, start_worker: StartWorker) -> None:
    job = enqueue_occurrence(redis, "fail_after", "tried", retry=Retry(1))
    work_off(start_worker)
    assert [
        (output.attempt, output.outcome, output.text)
        for output in read_outputs(redis, "clock", job.id)
    ] == [(1, RunOutcome.RETRIED, "tried\n"), (2, RunOutcome.FAILED, "tried\n")]


def test_what_a_killed_run_printed_last_is_kept(redis: Redis, start_worker: StartWorker) -> None:
    jobs = [
        enqueue_occurrence(redis, "crash", 11),
        enqueue_occurrence(redis, "crash", 9),
        enqueue_occurrence(redis, "leave"),
        enqueue_occurrence(redis, "say", "next"),
    ]
    work_off(start_worker)
    assert [only(redis, job).text for job in jobs] == [
        "last words\n",
        "last words\n",
        "before it left\n",
        "next\n",
    ]


def test_a_task_that_only_prints_is_interrupted_at_its_time_limit(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "spin", job_timeout=1)
    after = enqueue_occurrence(redis, "say", "after")
    work_off(start_worker)
    (run, _) = sorted(read_runs(redis, "clock", EVENT), key=lambda run: run.error is None)
    assert (run.error, run.duration < 5) == ("JobTimeoutException", True)
    assert only(redis, job).text.endswith("again\nagain\n")
    assert only(redis, after).text == "after\n"


def test_a_task_that_sets_up_logging_takes_its_output_from_nobody(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "set_up_logging")
    worker = work_off(start_worker)
    assert only(redis, job).text == "INFO its own handler\nprinted all the same\n"
    assert len(worker.lines("output")) == 2


def test_records_go_to_the_application_s_handler_and_are_kept(
    redis: Redis, start_worker: StartWorker, work_folder: Path
) -> None:
    (work_folder / "shop.py").write_text(
        "import logging\n"
        "logging.basicConfig(level=logging.INFO, format='%(name)s %(clock_job)s %(message)s')\n"
        "logging.root.handlers[0].formatter = logging.Formatter(\n"
        "    'ours %(clock_job)s %(clock_event)s %(message)s',\n"
        "    defaults={'clock_job': None, 'clock_event': None})\n"
    )
    (work_folder / "settings.py").write_text("PRELOAD = ['shop']\n")
    job = enqueue_occurrence(redis, "everything")
    worker = work_off(start_worker, "-c", "settings")
    line = f"ours {job.id} {EVENT} logged once"
    assert line in worker.output().splitlines()
    lines = only(redis, job).text.splitlines()
    assert line in lines
    # The worker's own lines are not the task's.
    assert not [kept for kept in lines if "ours" in kept and kept != line]


def test_what_a_process_prints_that_a_task_forked_is_in_the_log_only(
    redis: Redis, start_worker: StartWorker
) -> None:
    job = enqueue_occurrence(redis, "fork_and_print")
    worker = work_off(start_worker)
    assert "from a fork\n" in worker.output()
    assert only(redis, job).text == "from the task\n"


def test_async_jobs_side_by_side_have_each_their_own(
    redis: Redis, start_worker: StartWorker
) -> None:
    jobs = {name: enqueue_occurrence(redis, "by_turns", name) for name in "abc"}
    worker = work_off(start_worker)
    for name, job in jobs.items():
        lines = [f"{name} {number} done" for number in range(3)] + [f"{name} in a thread"]
        last = ["last words of a"] if name == "a" else []
        assert only(redis, job).text.splitlines() == lines + last
        assert [line["line"] for line in logged(worker) if line["job"] == job.id] == lines + last
    assert only(redis, jobs["a"]).outcome is RunOutcome.FAILED


def test_async_jobs_that_are_killed_together_have_their_last_words(
    redis: Redis, start_worker: StartWorker
) -> None:
    jobs = [enqueue_occurrence(redis, "say_and_wait", name) for name in "ab"]
    worker = start_worker()
    wait_for("both have printed", lambda: len(worker.lines("output")) == 2)
    send_kill_horse_command(redis, worker.name)
    wait_for("both have failed", lambda: all(job.get_status() == "failed" for job in jobs))
    assert [only(redis, job).text for job in jobs] == ["a\n", "b\n"]
    worker.stop()


def test_output_memory_0_keeps_nothing(redis: Redis, start_worker: StartWorker) -> None:
    enqueue_occurrence(redis, "say", "hello")
    enqueue_occurrence(redis, "crash", 9)
    worker = work_off(start_worker, CLOCK_OUTPUT_MEMORY="0")
    assert [line["line"] for line in logged(worker)] == ["hello", "last words"]
    assert not redis.keys("clock:clock:*output*")


@pytest.mark.parametrize("style", ["json", "terminal"])
def test_a_line_has_the_style_of_the_log(
    redis: Redis, start_worker: StartWorker, style: str
) -> None:
    job = enqueue_occurrence(redis, "say", 'a "line"')
    printed = work_off(start_worker, CLOCK_LOG=style).output()
    if style == "json":
        lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        (line,) = [line for line in lines if line["msg"] == "output"]
        assert (line["event"], line["job"], line["line"]) == (EVENT, job.id, 'a "line"')
    else:
        assert f'output      {EVENT} line="a \\"line\\"" job={job.id}' in printed


def test_a_job_that_prints_nothing_leaves_nothing(redis: Redis, start_worker: StartWorker) -> None:
    enqueue_occurrence(redis, "add", 1, 2)
    enqueue_occurrence(redis, "fail")
    work_off(start_worker)
    assert not redis.keys("clock:clock:*output*")
