"""A place where a scheduler runs, behind a proxy of its own, killed and started again."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Literal

from benchmarks.faults.program import Program
from benchmarks.faults.proxy import Proxy
from benchmarks.faults.wall_clock import WallClock

End = Literal["killed", "stopped", "died"]


class Slot:
    """Runs one process at a time."""

    def __init__(
        self,
        number: int,
        port: int | None,
        folder: Path,
        program: Program,
        wall_clock: WallClock | None,
    ) -> None:
        """``port`` is the server's, before which a proxy stands; without one the program finds the
        server by itself. What it logs goes to a file in ``folder``."""
        self.number = number
        self.wall_clock = wall_clock
        self.proxy = None if port is None else Proxy(port, program.mark, self.kill)
        self.log = folder / f"{program.name}-{number}.log"
        self.exit_code = 0
        self.ended_at: dict[int, float] = {}
        """When its processes ended, by their ids, in UTC seconds since 1970."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._lived = 0.0
        self._expected_end: End = "died"
        self._suspended = False
        self._suspended_at = self._suspended_for = 0.0

    @property
    def is_worker(self) -> bool:
        """Whether it runs workers, not clocks."""
        return self._program.name == "worker"

    @property
    def pid(self) -> int:
        """The id of its process; 0 where none is there."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether it holds a clock that was not asked to end."""
        return self._process is not None and self._expected_end == "died"

    @property
    def is_empty(self) -> bool:
        """Whether no process is there, not even one that is ending."""
        return self._process is None

    @property
    def is_awake(self) -> bool:
        """Whether it holds a clock that is not suspended."""
        return self.is_running and not self._suspended

    @property
    def age(self) -> float:
        """Seconds since its clock was started; 0 where none is there."""
        return time.monotonic() - self._started if self._process is not None else 0.0

    def start(self) -> None:
        """Start a clock."""
        environ = self._program.environment()
        if self.wall_clock is not None:
            environ |= self.wall_clock.environment()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._program.command("" if self.proxy is None else self.proxy.url),
                cwd=self.log.parent,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._started = time.monotonic()
        self._expected_end, self._suspended = "died", False
        self._suspended_for = 0.0

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL, "killed")

    def terminate(self) -> None:
        """SIGTERM."""
        self.resume()
        self._end(signal.SIGTERM, "stopped")

    def expect_death(self) -> None:
        """What has just been done to its process ends it."""
        self._expected_end = "killed"

    def suspend(self) -> None:
        """SIGSTOP."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            self._suspended, self._suspended_at = True, time.monotonic()

    def resume(self) -> None:
        """SIGCONT."""
        if self._process is not None and self._suspended:
            self._process.send_signal(signal.SIGCONT)
            self._suspended = False
            self._suspended_for += time.monotonic() - self._suspended_at

    @property
    def ended_well(self) -> bool:
        """Whether its last process ended as it should: killed, or stopped with exit code 0; or
        without having found a server.
        """
        # Python takes a while before the clock can listen to signals.
        was_starting = self._lived < self._program.longest_start
        if self._expected_end == "stopped":
            return self.exit_code == 0 or (self.exit_code == -signal.SIGTERM and was_starting)
        had_no_server = self.exit_code in self._program.ends_with and was_starting
        return self._expected_end == "killed" or had_no_server

    def look(self) -> End | None:
        """How its clock ended, returned once; None while it runs or where none is there."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        if self.wall_clock is not None:
            self.wall_clock.clean_after(self._process.pid)
        self.ended_at[self._process.pid] = time.time()
        self.exit_code, self._lived = code, self.age - self._suspended_for
        self._process = None
        return self._expected_end

    def close(self) -> None:
        """End the clock and the proxy."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.look()
        if self.proxy is not None:
            self.proxy.close()

    def _end(self, number: signal.Signals, end: End) -> None:
        # Also called by the proxy, in a thread of its own.
        process = self._process
        if process is not None and process.poll() is None:
            # One that was killed may not be gone yet, and cannot be asked anything more.
            if self._expected_end != "killed":
                self._expected_end = end
            process.send_signal(number)
