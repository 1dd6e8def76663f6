"""A child process whose lines are printed with its name before them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class Child:
    """A process in a session of its own; only the parent's signals reach it."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self._partial = b""
        self._process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs here
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)

    def lines(self) -> list[str] | None:
        """What it printed since the last call, in whole lines; None once it prints no more."""
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
        """Ask it to end; asked again, an RQ worker gives up the job in hand."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything in its session."""
        for member in _session(self._process.pid):
            try:
                os.kill(member, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.kill()
        self._process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session, where the system tells; an RQ work-horse leaves its worker's
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


def _die_with_parent() -> None:
    # Without this a `kill -9` of the parent would leave clock and worker behind; only Linux has it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
