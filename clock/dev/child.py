"""A child process whose lines are printed with its name before them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Child:
    """A process in a session of its own; only the parent's signals reach it."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self.command = tuple(command)
        self._partial = b""
        self._process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)

    def lines(self) -> list[str] | None:
        """The whole lines it printed since the last call; None once its output has ended."""
        read = self.output.read(65_536)
        if read is None:
            return []
        *whole, self._partial = (self._partial + read).split(b"\n")
        if not read:
            return [self._partial.decode(errors="replace")] if self._partial else None
        return [line.decode(errors="replace").rstrip("\r") for line in whole]

    def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for member in _session(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        self._process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session, on systems with ``/proc``; an RQ work-horse leaves its worker's
    group, not its session.
    """
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            members.append(int(stat.parent.name))
    return members
