"""The task that runs a command, for ``command(...)`` in a schedule file and for ``enqueue``."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

SHOWN = 20
"""The last lines of output that are part of the result, or of the error."""

LONGEST_LINE = 1_000
"""Characters of such a line."""

GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL for a command whose job is over: a worker that stops gives
its tasks two."""


class CommandError(Exception):
    """A command ended with another exit code than 0, or by a signal. ``code`` is its exit code,
    negative for a signal; the message ends in the last lines of its output.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


def run_command(words: Sequence[str] | str) -> dict[str, Any]:
    """Run a command, a list of words, or a string for the shell, in a process group of its own.

    What it prints is printed here, line by line. Returns its ``exit_code``, 0, and the last lines
    of its ``output``. Raises CommandError where it fails, OSError where it cannot be started. When
    the job's time is over, or its worker stops, the whole group ends.
    """
    with subprocess.Popen(
        words if isinstance(words, str) else list(words),
        shell=isinstance(words, str),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            last = _printed(process.stdout)
            code = process.wait()
        except BaseException:  # the job's timeout, its worker's stop
            _end_group(process)
            raise
    text = "\n".join(last)
    if code != 0:
        shown = words if isinstance(words, str) else shlex.join(words)
        ended = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        raise CommandError(f"{shown!r} ended with {ended}\n{text}".rstrip(), code)
    return {"exit_code": code, "output": text}


def _printed(output: IO[str]) -> deque[str]:
    """Print what comes; returns the last lines."""
    last: deque[str] = deque(maxlen=SHOWN)
    for line in output:
        print(line, end="", flush=True)
        last.append(line.rstrip("\n")[:LONGEST_LINE])
    return last


def _end_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    # Its children may have stayed, which belong to the group.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
