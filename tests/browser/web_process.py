"""``clock web`` as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.live.environment import bare_environment
from tests.live.waiting import wait_for


class WebProcess:
    """``python -m clock web`` on a port of its own choice; it prints into a file in ``folder``."""

    def __init__(self, folder: Path, url: str, *arguments: str, **environ: str) -> None:
        self.out = folder / "web.out"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clock", "web", "--port", "0", "--url", url, *arguments],
                cwd=folder,
                env=bare_environment() | {"CLOCK_LOG": "logfmt"} | environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def output(self) -> str:
        """What it printed so far."""
        return self.out.read_text(errors="replace")

    def address(self) -> str:
        """Where it serves, once it does: ``http://127.0.0.1:PORT``."""
        return wait_for("clock web serves", self._address)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=15)

    def clean_up(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()

    def _address(self) -> str:
        assert self.process.poll() is None, self.output()
        match = re.search(r"url=(http://\S+)/", self.output())
        return "" if match is None else match[1]
