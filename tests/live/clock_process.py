"""A clock as a process of its own, and what it logged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.live.environment import bare_environment
from tests.live.waiting import wait_for

Line = Mapping[str, Any]


class ClockProcess:
    """``python -m clock FILE``; it logs JSON lines into files of its own."""

    def __init__(
        self, file: Path, url: str, *, name: str = "clock", environ: Mapping[str, str] | None = None
    ) -> None:
        """``name`` tells its log files, which lie beside ``file``, from those of other clocks."""
        self.name = name
        self.out = file.with_name(f"{name}.out")
        self.err = file.with_name(f"{name}.err")
        self.spawned = time.time()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clock", file.name, "--url", url, "--log", "json"],
                cwd=file.parent,
                env=bare_environment() | dict(environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def lines(self, message: str | None = None) -> list[Line]:
        """What it logged so far, or what it logged under ``message``."""
        # A line that a kill cut short has no line feed.
        *whole, _cut = self.out.read_text(encoding="utf-8").split("\n")
        lines = [json.loads(line) for line in whole]
        return [line for line in lines if message in (None, line["msg"])]

    def troubles(self) -> list[Line]:
        """What it logged above the level of information."""
        return [line for line in self.lines() if line["level"] not in {"info", "debug"}]

    def enqueued(self) -> list[tuple[str, str]]:
        """The event and the scheduled time of every occurrence it says it enqueued."""
        return [(line["event"], line["scheduled_at"]) for line in self.lines("enqueued")]

    def wait_for_line(self, message: str, *, within: float = 15.0) -> Line:
        """The first line logged under ``message``, once it is there."""
        return wait_for(
            f"{self.name} logs {message!r}", lambda: self.lines(message), within=within
        )[0]

    def is_alive(self) -> bool:
        """Whether it runs, or is suspended."""
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> float:
        """End it with SIGKILL; the instant just before, in UTC seconds since 1970."""
        instant = time.time()
        self.process.kill()
        self.process.wait()
        return instant

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.send(number)
        return self.process.wait(timeout=15)

    def log(self) -> str:
        """All it wrote, for a person who wonders why a test failed."""
        return f"--- {self.name}\n{self.out.read_text()}{self.err.read_text()}"


def logged_at(line: Line) -> float:
    """When a line was logged, in UTC seconds since 1970."""
    return datetime.fromisoformat(line["ts"]).timestamp()
