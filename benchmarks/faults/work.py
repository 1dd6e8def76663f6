"""The tasks that the campaign's workers run: each notes what happens to it, in the folder that its
worker works in.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rq import get_current_job

QUEUES = ("high", "low")

CHILDREN = 2
"""Of each worker."""

NOTES = "notes.txt"
LOCKS = "locks"
RAISED = "raised"

PERIOD = 3
"""Seconds between two occurrences of an event: few enough that all of its runs are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a task does, ``seconds`` long, and how its job is retried: it raises an error in the
    first ``fails`` attempts, and ``share`` of a hundred events are so.
    """

    share: int
    seconds: float = 0.0
    fails: int = 0
    retries: int = 9

    @property
    def is_broken(self) -> bool:
        """Whether it never succeeds."""
        return self.fails > self.retries


KINDS = {
    "quick": Kind(share=44),
    "once": Kind(share=25, seconds=0.03, retries=0),
    "long": Kind(share=12, seconds=0.3),
    "slow": Kind(share=1, seconds=3.0),
    "flaky": Kind(share=12, seconds=0.01, fails=2),
    "broken": Kind(share=6, fails=99, retries=2),
}
"""By what the name of an event begins with."""


def kind_of(event: str) -> Kind:
    """What an event is of."""
    return KINDS[event.partition("-")[0]]


def prepare(folder: Path) -> None:
    """Make ``folder`` ready for workers."""
    (folder / LOCKS).mkdir()
    (folder / RAISED).mkdir()
    (folder / NOTES).touch()


def read_notes(folder: Path) -> Counter[tuple[str, str]]:
    """How often which word was noted of which job: ``begin``, ``raise``, ``end``, and ``twice``
    where another run of it went on.
    """
    lines = (folder / NOTES).read_text().splitlines()
    return Counter((word, job) for word, _, job in (line.partition(" ") for line in lines))


def run(seconds: float, fails: int) -> None:
    """The task."""
    job = get_current_job()
    assert job is not None
    _note("begin", job.id)
    # The kernel lets go of it when this process dies, and not before.
    lock = os.open(f"{LOCKS}/{job.id}", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _note("twice", job.id)
        os.close(lock)
        return
    try:
        time.sleep(seconds)
        raised = Path(RAISED, job.id)
        before = raised.stat().st_size if raised.exists() else 0
        if before < fails:
            _append(raised, b"x")
            _note("raise", job.id)
            raise ValueError("as often as it should")
        _note("end", job.id)
    finally:
        os.close(lock)


def _note(word: str, job: str) -> None:
    _append(Path(NOTES), f"{word} {job}\n".encode())


def _append(file: Path, data: bytes) -> None:
    # One write, so that the lines of several processes do not mix.
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, data)
    os.close(descriptor)
