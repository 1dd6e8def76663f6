"""RQ's own worker as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.live.environment import bare_environment


class RQWorker:
    """``rq worker`` in ``folder``, in a process group of its own; it prints into a file there."""

    def __init__(self, folder: Path, url: str, *arguments: str, **environ: str) -> None:
        self.out = folder / f"rq-worker-{id(self)}.out"
        with self.out.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rq.cli", "worker", "--url", url, *arguments],
                cwd=folder,
                env=bare_environment() | environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self) -> None:
        """End it with SIGKILL, and nothing else."""
        self._process.kill()
        self._process.wait()

    def output(self) -> str:
        """What it printed so far."""
        return self.out.read_text(errors="replace")

    def clean_up(self) -> None:
        """Leave nothing behind, the process of its job neither."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
