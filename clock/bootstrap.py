"""The first moments of the process, before anything that takes time is imported."""

from __future__ import annotations

import os
import signal
import sys
from typing import TextIO

from clock import exit_codes

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a clock."""


def open_standard_streams() -> None:
    """Give what is closed of the three standard streams to the null device.

    The connection to the server would else get one of their numbers, and be written to by whoever
    prints.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = _writer(1)
    if sys.stderr is None:
        sys.stderr = _writer(2)


def end_on_signals() -> None:
    """End with exit code 0 on a signal, until somebody else takes the signals over.

    Nothing is begun yet that would have to be finished. As process 1 of a container the process
    would ignore what it has no handler for. A signal that it was started to ignore stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # Not an exception, which the schedule file that is being read may catch.
            signal.signal(number, lambda *_: os._exit(exit_codes.OK))


def _writer(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
