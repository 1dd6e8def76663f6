"""A process that ends the children where their parent could not, because it was killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clock.dev.child import Child
from clock.stop import SIGNALS

GRACE = 1.4
"""Seconds the children have to end by themselves once their parent is gone."""


@contextmanager
def end_with_parent(children: Sequence[Child]) -> Iterator[None]:
    """While the block runs, the children end soon after this process, even after a SIGKILL.

    A worker that runs a job would otherwise go on with it, and so outlive the server. For a process
    whose threads hold no lock that ending the children needs.
    """
    reader, writer = os.pipe()
    watchdog = os.fork()
    if watchdog == 0:
        os.close(writer)
        _end_children(children, reader)
    try:
        yield
    finally:
        os.kill(watchdog, signal.SIGKILL)
        os.waitpid(watchdog, 0)
        os.close(reader)
        os.close(writer)


def _end_children(children: Sequence[Child], parent: int) -> None:
    os.setsid()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    os.read(parent, 1)
    try:
        for child in children:
            child.terminate()
        time.sleep(GRACE)
        for child in children:
            child.kill()
    finally:
        os._exit(0)
