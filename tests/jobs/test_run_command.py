"""Commands in place of tasks: declared without a shell, run by workers, ended as a group."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.jobs.run_command import CommandError, run_command
from clock.schedule.command import RUN
from clock.schedule.resolve import resolve_tasks
from clock.worker import Worker
from tests.live.waiting import wait_for
from tests.schedule.writing import event, refusal, schedule
from tests.simple_worker import SimpleWorker


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("written", "args"),
    [
        ("'python manage.py clearsessions'", (["python", "manage.py", "clearsessions"],)),
        ("\"echo 'a b' c\"", (["echo", "a b", "c"],)),
        ("['echo', 'a b']", (["echo", "a b"],)),
        ("'ls | wc', shell=True", ("ls | wc",)),
    ],
)
def test_a_command_is_a_list_of_words_and_no_shell_reads_it(
    tmp_path: Path, written: str, args: tuple[Any, ...]
) -> None:
    only = event(tmp_path, f"every('day', command({written}), at='03:00')")
    assert (only.task, only.args, dict(only.kwargs)) == (RUN, args, {})


def test_a_command_is_the_name_of_its_event(tmp_path: Path) -> None:
    read = schedule(
        tmp_path,
        "every('day', command('echo 1'))\nevery('day', command('echo 2'))\n"
        "every('day', command('echo 3'), name='third')\n",
    )
    assert list(read.events) == ["echo 1", "echo 2", "third"]
    assert resolve_tasks(read) == ([], [])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("command('ls | wc')", "command('ls | wc'): no shell reads '|'; write shell=True for one"),
        ("command('')", "command('') takes a line, or a list of strings"),
        ("command([1])", "command([1]) takes a line, or a list of strings"),
        ('command("a \'b")', 'command("a \'b") cannot be split into words: No closing quotation'),
        ("command(['ls'], shell=True)", "command(['ls'], shell=True) takes one line, as a string"),
        (
            "command('ls'), args=[1]",
            "args= does not go with command(...), which has its own",
        ),
    ],
)
def test_a_wrong_command_is_refused(tmp_path: Path, written: str, message: str) -> None:
    error = refusal(tmp_path, f"every('day', {written})")
    assert (error.message, error.line) == (message, 2)


def test_what_it_prints_is_printed_and_the_last_lines_are_its_result(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = "import sys\nfor n in range(30): print(n, flush=True)\nprint('wrong', file=sys.stderr)"
    result = run_command(python(code))
    assert result["exit_code"] == 0
    assert result["output"].splitlines() == [*map(str, range(11, 30)), "wrong"]
    assert capsys.readouterr().out.splitlines() == [*map(str, range(30)), "wrong"]


def test_an_exit_code_and_a_signal_are_errors() -> None:
    with pytest.raises(CommandError) as caught:
        run_command(python("print('no space left'); raise SystemExit(3)"))
    assert caught.value.code == 3
    assert str(caught.value).endswith("ended with exit code 3\nno space left")
    with pytest.raises(CommandError, match="ended with signal SIGKILL"):
        run_command("kill -9 $$")


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        run_command(["no-such-command-anywhere"])


@pytest.mark.parametrize("worker_class", [SimpleWorker, Worker])
def test_workers_keep_its_exit_code_and_its_last_lines(redis: Redis, worker_class: Any) -> None:
    queue = Queue(connection=redis)
    well = queue.enqueue(RUN, python("print('done')"))
    badly = queue.enqueue(RUN, python("print('half'); raise SystemExit(4)"))
    worker_class([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
    assert Job.fetch(well.id, redis).return_value() == {"exit_code": 0, "output": "done"}
    result = Job.fetch(badly.id, redis).latest_result()
    assert result is not None
    assert "ended with exit code 4\nhalf" in str(result.exc_string)


GRANDCHILD = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time;"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE)
child.stdout.readline()
open({file!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(60)
"""


@pytest.mark.parametrize("worker_class", [SimpleWorker, Worker])
def test_the_timeout_of_its_job_ends_the_whole_process_group(
    redis: Redis, tmp_path: Path, worker_class: Any
) -> None:
    file = tmp_path / "pids"
    queue = Queue(connection=redis)
    job = queue.enqueue(RUN, python(GRANDCHILD.format(file=str(file))), job_timeout=4)
    worker_class([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
    result = Job.fetch(job.id, redis).latest_result()
    assert result is not None
    assert "JobTimeoutException" in str(result.exc_string)
    for pid in map(int, file.read_text().split()):
        wait_for(f"{pid} has ended", lambda pid=pid: not _lives(pid))  # type: ignore[misc]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose parent has not heard of its end has ended all the same.
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_an_interrupted_task_ends_its_command(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> None:
        wait_for("the command is up", file.exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_command(python(GRANDCHILD.format(file=str(file))))
    for pid in map(int, file.read_text().split()):
        wait_for(f"{pid} has ended", lambda pid=pid: not _lives(pid))  # type: ignore[misc]
