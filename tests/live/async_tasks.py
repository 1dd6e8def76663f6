"""``async def`` tasks for workers under test, and what they noted."""

from __future__ import annotations

from pathlib import Path

from tests.live.waiting import wait_for

ASYNC_WORK = """
import asyncio
import contextvars
import os
import time
from pathlib import Path

from rq import get_current_job

from clock import jobs
from clock.jobs import current

RUNNING = []
LABEL = contextvars.ContextVar("label", default="none")
AROUND = contextvars.ContextVar("around", default="none")


def note(*words):
    with open("noted.txt", "a") as file:
        file.write(" ".join(map(str, words)) + "\\n")


async def released(name="released"):
    while not Path(name).exists():
        await asyncio.sleep(0.01)


async def wait(label="", name="released"):
    RUNNING.append(label)
    note("begin", label, os.getpid(), len(RUNNING))
    try:
        await released(name)
    except asyncio.CancelledError as error:
        note("cancelled", label, os.getpid(), str(error).replace(" ", "-"))
        raise
    finally:
        RUNNING.remove(label)
    note("end", label, os.getpid(), len(RUNNING))
    return os.getpid()


async def tidy():
    note("begin", "tidy", os.getpid(), 1)
    try:
        await released()
    except asyncio.CancelledError:
        return "tidied"


async def stubborn():
    note("begin", "stubborn", os.getpid(), 1)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            note("heard", "stubborn", os.getpid(), 1)


async def all_begun(count, label=""):
    RUNNING.append(label)
    while len(RUNNING) < count:
        await asyncio.sleep(0.01)
    return os.getpid()


async def for_ever(label=""):
    RUNNING.append(label)
    await asyncio.sleep(3600)


async def cancels_itself():
    raise asyncio.CancelledError


async def leaves():
    raise SystemExit(3)


async def leaves_a_task():
    task = asyncio.ensure_future(for_ever("left"))
    task.add_done_callback(lambda task: note("left", task.cancelled(), os.getpid(), 1))
    await asyncio.sleep(0)


async def blocks():
    time.sleep(60)


async def who(label, count):
    seen = [LABEL.get()]
    LABEL.set(label)
    RUNNING.append(label)
    while len(RUNNING) < count:
        await asyncio.sleep(0.01)

    async def inner():
        await asyncio.sleep(0)
        return get_current_job().id

    in_thread = asyncio.to_thread(lambda: get_current_job().id)
    inner_ids = await asyncio.gather(inner(), inner(), in_thread)
    occurrence = current()
    jobs.progress(len(label), 10, label)
    return [*seen, LABEL.get(), get_current_job().id, *inner_ids, occurrence and occurrence.event]


async def surrounded():
    await asyncio.sleep(0)
    return AROUND.get()


async def wait_and_fail():
    await wait("failing")
    raise LookupError("no")


async def fails():
    raise LookupError("no")


def around(job, call_next):
    AROUND.set(f"around {job.id}")
    try:
        result = call_next()
    except Exception as error:
        note("raised", job.id, type(error).__name__, 1)
        raise
    note("returned", job.id, os.getpid(), 1)
    return result


def plain():
    note("begin", "plain", os.getpid(), len(RUNNING))
    return os.getpid()
"""


class Notes:
    """What the tasks in a folder noted: lines of a kind, a label, the process and a number."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "noted.txt"

    def all(self, kind: str, label: str | None = None) -> list[list[str]]:
        """The notes of a kind, without it; only those with ``label``, if given."""
        text = self._file.read_text() if self._file.exists() else ""
        notes = [line.split() for line in text.splitlines()]
        return [note[1:] for note in notes if note[0] == kind and label in {None, note[1]}]

    def wait_for(self, kind: str, count: int = 1, *, within: float = 20.0) -> list[list[str]]:
        """Wait until there are ``count`` notes of a kind."""
        wait_for(
            f"{count} tasks note {kind!r}", lambda: len(self.all(kind)) >= count, within=within
        )
        return self.all(kind)
