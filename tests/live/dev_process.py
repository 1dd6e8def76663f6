"""``clock dev`` as a process of its own, with everything it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.live.environment import bare_environment
from tests.live.processes import processes_in
from tests.live.waiting import wait_for


class DevProcess:
    """``python -m clock dev FILE`` in ``folder``; all it starts works there or below."""

    def __init__(self, folder: Path, file: str, *, url: str | None = None) -> None:
        """``url`` is the configured server, None where nothing is configured."""
        self._folder = folder
        self._out = folder / "dev.out"
        temporary = folder / "tmp"
        temporary.mkdir()
        # The embedded server works in a temporary folder, which makes it one of ours.
        environ = bare_environment() | {"TMPDIR": str(temporary)}
        if url is not None:
            environ["CLOCK_REDIS_URL"] = url
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clock", "dev", file],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it printed so far."""
        return self._out.read_text(errors="replace")

    def wait_for_text(self, text: str, *, within: float = 15.0) -> None:
        """Wait until ``text`` is in its output."""
        wait_for(f"clock dev prints {text!r}", lambda: text in self.output(), within=within)

    def processes(self) -> dict[int, str]:
        """It and all it started that is alive: pid and command line."""
        return processes_in(self._folder)

    def clean_up(self) -> None:
        """Leave nothing behind, whatever the test found."""
        self.process.kill()
        self.process.wait()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
