"""Workers of ours as processes, and what they printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.live.environment import bare_environment
from tests.live.waiting import wait_for

ROOT = str(Path(__file__).parents[2])

COMMAND = (sys.executable, "-m", "rq.cli", "worker", "-w", "clock.worker.Worker")


def worker_environment(**more: str) -> dict[str, str]:
    """The environment of a worker under test, whose lines are logfmt."""
    return bare_environment() | {"PYTHONUNBUFFERED": "1", "CLOCK_LOG": "logfmt"} | more


class WorkerProcess:
    """``rq worker -w clock.worker.Worker`` in ``folder``; it prints into a file of its own. Without
    a ``url`` it finds the server by its settings.
    """

    def __init__(
        self,
        folder: Path,
        url: str | None,
        *arguments: str,
        name: str = "worker",
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.name = name
        self.out = folder / f"{name}.out"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, *(["--url", url] if url else []), "--name", name, *arguments],
                cwd=folder,
                env=worker_environment(**(environ or {})),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it printed so far."""
        return self.out.read_text(errors="replace")

    def wait_for_text(self, text: str, *, within: float = 15.0) -> None:
        """Wait until ``text`` is in its output."""
        wait_for(f"{self.name} prints {text!r}", lambda: text in self.output(), within=within)

    def wait_until_listening(self) -> None:
        """Wait until it takes jobs, and signals."""
        self.wait_for_text("*** Listening on")

    def lines(self, message: str) -> list[str]:
        """The lines of ours with ``message``."""
        quoted = re.escape(message)
        return [
            line
            for line in self.output().splitlines()
            if re.search(rf'msg="?{quoted}"?( |$)', line)
        ]

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 15.0) -> float:
        """Ask it to end; the seconds it took. Its exit code must be 0."""
        begin = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(timeout=within) == 0, self.output()
        return time.monotonic() - begin

    def kill(self) -> None:
        """End it with SIGKILL, and nothing else: what becomes of its job is the question."""
        self.process.kill()
        self.process.wait()

    def clean_up(self) -> None:
        """Leave nothing behind, whatever the test found."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.send_signal(signal.SIGINT)
        self.kill()


def is_alive(pid: int) -> bool:
    """Whether a process runs that is not this one's child; one that ended counts as gone."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
