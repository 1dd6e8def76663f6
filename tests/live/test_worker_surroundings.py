"""What a task leaves behind in its process, and the next one does not find."""

from __future__ import annotations

from pathlib import Path

from redis import Redis
from rq import Queue

from tests.live.conftest import StartWorker

TASKS = """
import contextvars
import logging
import os
import signal
import sys
import threading
import time
from io import StringIO

word = contextvars.ContextVar("word", default="none")


def _handle(number, frame):
    pass


def leave_alarm():
    signal.signal(signal.SIGALRM, _handle)
    signal.setitimer(signal.ITIMER_REAL, 0.2)


def leave_handlers():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, _handle)


def leave_ignored():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def leave_mask():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGTERM, signal.SIGUSR1})


def leave_directory():
    os.chdir("/")


def leave_stdout():
    sys.stdout = sys.stderr = StringIO()


def leave_stdout_closed():
    sys.stdout.close()


def leave_log_handlers():
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.getLogger("rq.worker").handlers.clear()


def leave_logging_disabled():
    logging.disable(logging.CRITICAL)


def leave_context():
    word.set("left")


def leave_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def leave_mask_of_files():
    os.umask(0o777)


def look():
    numbers = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD)
    handlers = [signal.getsignal(number) for number in (*numbers, signal.SIGHUP, signal.SIGPIPE)]
    umask = os.umask(0o022)
    os.umask(umask)
    return {
        "handlers": [getattr(handler, "__qualname__", handler) for handler in handlers],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "folder": os.getcwd(),
        "stdout": (sys.stdout.fileno(), sys.stderr.fileno()),
        "loggers": [
            (name, logging.getLogger(name).level, len(logging.getLogger(name).handlers))
            for name in ("", "clock", "rq.worker", "rq.job")
        ],
        "disabled": logging.root.manager.disable,
        "context": word.get(),
        "umask": umask,
    }


def stay():
    time.sleep(0.3)
"""

LEAVE = [line[4:-3] for line in TASKS.splitlines() if line.startswith("def leave_")]


def test_the_next_task_of_a_process_finds_nothing_of_the_last_one(
    redis: Redis, work_folder: Path, start_worker: StartWorker
) -> None:
    (work_folder / "leaving.py").write_text(TASKS)
    queue = Queue("default", connection=redis)
    first = queue.enqueue("leaving.look")
    looks = {}
    for task in LEAVE:
        queue.enqueue(f"leaving.{task}")
        looks[task] = queue.enqueue("leaving.look"), queue.enqueue("leaving.stay")
    worker = start_worker("--burst")
    assert worker.process.wait(timeout=60) == 0, worker.output()
    expected = first.return_value()
    assert isinstance(expected, dict)
    assert {task: look.return_value() for task, (look, _) in looks.items()} == dict.fromkeys(
        LEAVE, expected
    )
    assert {task: stay.is_finished for task, (_, stay) in looks.items()} == dict.fromkeys(
        LEAVE, True
    )
    assert len(worker.lines("threads left")) == 1
    assert "1 of its threads still run in this process" in worker.output()
