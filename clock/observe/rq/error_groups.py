"""The failed jobs by error: those that differ in numbers only are one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis import Redis

from clock.connection.errors import server_errors
from clock.observe.rq.entries import Stage, read_entries
from clock.observe.rq.job_search import SEARCHED, look
from clock.observe.rq.listed_job import NO_ERROR, Filter, ListedJob

MOST_GROUPS = 100
"""Groups that are returned, the largest."""

MOST_TASKS = 5
"""Tasks named of a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """Failed jobs with the same error. ``id`` is the ``group`` of a filter, ``NO_ERROR`` for jobs
    of which RQ keeps none; ``kind`` is the class of the error, None where it is not a traceback;
    ``line`` is the error of ``example``, the id of its job that RQ keeps longest. ``first`` and
    ``last`` are when its jobs ended, in UTC seconds since 1970, None where it is not known.
    """

    id: str
    kind: str | None
    line: str
    count: int
    first: float | None
    last: float | None
    tasks: tuple[str, ...]
    queues: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroups:
    """The largest groups, the largest first; ``left_out`` counts the others. To find them,
    ``looked_at`` of ``total`` failed jobs were read, those that RQ keeps longest.
    """

    groups: tuple[ErrorGroup, ...]
    left_out: int
    looked_at: int
    total: int


@dataclass(slots=True)
class _Group:
    example: ListedJob
    count: int = 0
    times: list[float] = field(default_factory=list)
    tasks: dict[str, None] = field(default_factory=dict)
    queues: dict[str, None] = field(default_factory=dict)

    def add(self, job: ListedJob) -> None:
        self.count += 1
        if job.at is not None:
            self.times = [min([job.at, *self.times]), max([job.at, *self.times])]
        if job.job.task is not None and len(self.tasks) < MOST_TASKS:
            self.tasks.setdefault(job.job.task)
        if len(self.queues) < MOST_TASKS:
            self.queues.setdefault(job.queue)

    def finished(self) -> ErrorGroup:
        error = self.example.error
        return ErrorGroup(
            id=error.group if error else NO_ERROR,
            kind=error.kind if error else None,
            line=error.line if error else "",
            count=self.count,
            first=self.times[0] if self.times else None,
            last=self.times[-1] if self.times else None,
            tasks=tuple(sorted(self.tasks)),
            queues=tuple(sorted(self.queues)),
            example=self.example.job.id,
        )


def read_groups(
    connection: Redis,
    queues: Sequence[str],
    which: Filter | None = None,
    *,
    now: float,
    most: int = SEARCHED,
) -> ErrorGroups:
    """The failed jobs of ``queues`` that fit ``which``, of the ``most`` that RQ keeps longest.

    Raises ServerError.
    """
    which = which or Filter()
    groups: dict[str, _Group] = {}
    looked_at = 0
    with server_errors():
        total, entries = read_entries(connection, queues, Stage.FAILED, now=now)
        for _, job, _ in look(connection, entries, Stage.FAILED, most=most):
            looked_at += 1
            if job is not None and which.fits(job):
                name = job.error.group if job.error else NO_ERROR
                groups.setdefault(name, _Group(job)).add(job)
    made = [group.finished() for group in groups.values()]
    made.sort(key=lambda group: (-group.count, group.line, group.id))
    return ErrorGroups(
        groups=tuple(made[:MOST_GROUPS]),
        left_out=len(made[MOST_GROUPS:]),
        looked_at=looked_at,
        total=total,
    )
