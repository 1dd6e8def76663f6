"""What a child of a worker runs, in memory that it shares with the worker: readable when the child
is dead or stuck, and without a message for each job. The worker writes there what a job that runs
beside others is asked to do.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from enum import IntEnum
from typing import NamedTuple

from clock.worker.output_ring import RING, OutputRing, OutputRings

LONGEST = 2048
"""Bytes of a job id and the name of its queue that are kept. Longer ones are found by the record of
the child's last step instead."""

_HEAD = struct.Struct("=IIddHH32s")
_VERSION = struct.Struct("=I")
_REQUEST = struct.Struct("=B32s")
_SIZE = _HEAD.size + LONGEST + _REQUEST.size


class Request(IntEnum):
    """What the worker asks of a job that runs beside others; one that runs alone is killed."""

    STOP_JOB = 1
    """Somebody stopped it."""

    STOP = 2
    """The worker stops, and its grace is over."""

    LEAVE = 3
    """It is another's by now."""


class Running(NamedTuple):
    """An execution that a child has begun: its job and queue, and its instants on
    ``time.monotonic()``. ``deadline`` is infinite for a job without a time limit.
    """

    job: str
    execution: str
    queue: str
    began: float
    deadline: float

    @property
    def entry(self) -> str:
        """What RQ's registries call it."""
        return f"{self.job}:{self.execution}"


class Slots:
    """Room for what ``count`` children run; made before they are forked. Each has one slot for a
    job that runs alone, the first, and ``concurrency`` for those that run side by side; with
    ``has_output`` also for what these print. With ``in_file`` there is a descriptor by which a
    process that is not forked has it too.
    """

    def __init__(
        self, count: int, concurrency: int, *, has_output: bool = False, in_file: bool = False
    ) -> None:
        self._width = 1 + concurrency
        size = _SIZE + (RING if has_output else 0)
        # It has no name, and is gone with the last process that has it open.
        self._file = tempfile.TemporaryFile() if in_file else None  # noqa: SIM115
        if self._file is not None:
            self._file.truncate(size * self._width * count)
        self._memory = mmap.mmap(self.fileno(), size * self._width * count)
        self._outputs = self._output_rings() if has_output else None

    @classmethod
    def opened(cls, descriptor: int, concurrency: int, *, has_output: bool) -> Slots:
        """Those that another process made ``in_file``, by their descriptor, which is closed."""
        slots = cls.__new__(cls)
        slots._width, slots._file = 1 + concurrency, None
        slots._memory = mmap.mmap(descriptor, 0)
        os.close(descriptor)
        slots._outputs = slots._output_rings() if has_output else None
        return slots

    def _output_rings(self) -> OutputRings:
        return OutputRings(self._memory, len(self._memory) // (_SIZE + RING) * _SIZE)

    def fileno(self) -> int:
        """The descriptor of the file; -1 without one."""
        return -1 if self._file is None else self._file.fileno()

    def __getitem__(self, index: int) -> list[Slot]:
        first = index * self._width
        return [self._slot(first + index) for index in range(self._width)]

    def _slot(self, index: int) -> Slot:
        output = None if self._outputs is None else self._outputs[index]
        return Slot(self._memory, _SIZE * index, output)


class Slot:
    """Room for one job of a child, which alone writes it while it lives."""

    def __init__(self, memory: mmap.mmap, offset: int, output: OutputRing | None = None) -> None:
        self._memory = memory
        self._offset = offset
        self.output = output
        """What the job prints; None where nothing of it is kept."""
        self._version = 0
        self._done = 0

    def begin(self, running: Running) -> None:
        """A job runs from now on."""
        self._write(running, running.began)

    def idle(self, now: float) -> None:
        """No job runs here since ``now`` on ``time.monotonic()``."""
        self._write(None, now)

    def ended(self) -> None:
        """One more job has ended here."""
        self._done += 1

    def ask(self, execution: str, request: Request) -> None:
        """Ask something of the execution with this id; for the worker."""
        at = self._offset + _HEAD.size + LONGEST
        _REQUEST.pack_into(self._memory, at, 0, execution.encode())
        self._memory[at] = request

    @property
    def asked(self) -> tuple[str, Request] | None:
        """What was asked last, and of which execution."""
        at = self._offset + _HEAD.size + LONGEST
        request, execution = _REQUEST.unpack_from(self._memory, at)
        return (execution.rstrip(b"\0").decode(), Request(request)) if request else None

    def hold_back(self, is_holding: bool) -> None:
        """Say, in the first slot of a child, that it takes no jobs for now, though it has room."""
        self._memory[self._offset + _HEAD.size + LONGEST] = is_holding

    @property
    def holds_back(self) -> bool:
        """Whether the child takes no jobs for now."""
        return bool(self._memory[self._offset + _HEAD.size + LONGEST])

    def clear(self) -> None:
        """Let it be as if no child had been there; for the worker, once the child is dead."""
        self._version = self._done = 0
        self._memory[self._offset + _HEAD.size + LONGEST] = 0
        self._memory[self._offset : self._offset + _HEAD.size] = bytes(_HEAD.size)

    @property
    def running(self) -> Running | None:
        """What runs here, None for nothing."""
        return self._read()[0]

    @property
    def idle_since(self) -> float | None:
        """Since when no job runs here, on ``time.monotonic()``; None while one does, and where
        none ever did.
        """
        running, since, _ = self._read()
        return None if running is not None or not since else since

    @property
    def done(self) -> int:
        """How many jobs have ended here."""
        return self._read()[2]

    def _write(self, running: Running | None, since: float) -> None:
        # Odd while it is written: the worker reads it again then.
        self._version += 2
        job, queue, execution, deadline = b"", b"", b"", 0.0
        if running is not None:
            job, queue = running.job.encode(), running.queue.encode()
            execution, deadline = running.execution.encode(), running.deadline
        if len(job) + len(queue) > LONGEST:
            job = queue = b""
        _VERSION.pack_into(self._memory, self._offset, self._version - 1)
        if job:
            end = self._offset + _HEAD.size
            self._memory[end : end + len(job) + len(queue)] = job + queue
        _HEAD.pack_into(
            self._memory,
            self._offset,
            self._version - 1,
            self._done,
            since,
            deadline,
            len(job),
            len(queue),
            execution,
        )
        _VERSION.pack_into(self._memory, self._offset, self._version)

    def _read(self) -> tuple[Running | None, float, int]:
        if not _VERSION.unpack_from(self._memory, self._offset)[0]:
            return None, 0.0, 0
        for _ in range(100):
            head = bytes(self._memory[self._offset : self._offset + _HEAD.size])
            version, done, since, deadline, of_job, of_queue, execution = _HEAD.unpack(head)
            end = self._offset + _HEAD.size
            job = bytes(self._memory[end : end + of_job])
            queue = bytes(self._memory[end + of_job : end + of_job + of_queue])
            again = _VERSION.unpack_from(self._memory, self._offset)[0]
            if version == again and version % 2 == 0:
                break
        # A child that died while it wrote leaves an odd number: what can be read is taken.
        identifier = execution.rstrip(b"\0").decode("ascii", "replace")
        if not identifier or not job:
            return None, since, done
        names = (job.decode("utf-8", "replace"), queue.decode("utf-8", "replace"))
        return Running(names[0], identifier, names[1], since, deadline), since, done
