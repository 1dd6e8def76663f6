"""Looking for jobs in a state, on one queue or all: a page of them, or their errors by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from redis import Redis

from clock.connection.errors import server_errors
from clock.observe.rq.cursor import LONGEST_QUEUE, Cursor, read_cursor
from clock.observe.rq.entries import CHUNK, Stage, job_of, read_entries
from clock.observe.rq.listed_job import Filter, ListedJob, read_listed

PAGE = 50
"""Jobs on a page."""

LARGEST_PAGE = 200
"""Jobs on a page at most: they are read with their arguments."""

SEARCHED = 5_000
"""Jobs that one request looks at, the first in their order; it says whether there are more."""

MOST_BYTES = 2**26
"""Bytes of jobs that one request reads; somebody may have enqueued jobs of a megabyte."""

AT_ONCE = 200
"""Jobs read in one round trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs in a state, and how many there are in all, whatever the filter. To find these,
    ``looked_at`` jobs were read. ``next`` is the cursor from which there may be more, or None.
    """

    jobs: tuple[ListedJob, ...]
    total: int
    looked_at: int
    next: str | None


def find_jobs(
    connection: Redis,
    queues: Sequence[str],
    state: Stage,
    which: Filter | None = None,
    *,
    now: float,
    cursor: str | None = None,
    limit: int = PAGE,
    most: int = SEARCHED,
) -> JobPage:
    """Up to ``limit`` jobs of ``queues`` in ``state`` that fit ``which``, from ``cursor`` on, in
    the order of ``read_entries``; ``most`` of them are looked at.

    Jobs come and go between two pages: one that stays is on at least one page, and may be on two.
    Raises CursorError, and ServerError.
    """
    which = which or Filter()
    after = None if cursor is None else read_cursor(cursor)
    chunk, step = (limit + 1, limit) if which.is_open else (CHUNK, AT_ONCE)
    jobs: list[ListedJob] = []
    looked_at, last, is_more = 0, None, False
    with server_errors():
        total, entries = read_entries(connection, queues, state, now=now, after=after, chunk=chunk)
        for entry, job, is_last in look(connection, entries, state, most=most, step=step):
            looked_at, last = looked_at + 1, entry
            if job is not None and which.fits(job):
                jobs.append(job)
            if len(jobs) == limit:
                is_more = not is_last
                break
        is_more = is_more or next(entries, None) is not None
    return JobPage(
        jobs=tuple(jobs),
        total=total,
        looked_at=looked_at,
        next=_cursor(last, len(queues)) if last is not None and is_more else None,
    )


def look(
    connection: Redis,
    entries: Iterator[Cursor],
    state: Stage,
    *,
    most: int = SEARCHED,
    step: int = AT_ONCE,
) -> Iterator[tuple[Cursor, ListedJob | None, bool]]:
    """The jobs of the first ``most`` ``entries``, ``step`` in a round trip, with the entry of each
    and whether it is the last of its round trip; None for those RQ no longer has. The others stay
    in ``entries``. Raises what the client raises.
    """
    size = 0
    while most > 0 and size < MOST_BYTES and (some := list(islice(entries, min(step, most)))):
        most -= len(some)
        ids = [(job_of(entry), entry.queue) for entry in some]
        jobs, read = read_listed(connection, ids, errors=state is Stage.FAILED)
        size += read
        for entry, job in zip(some, jobs, strict=True):
            yield entry, job, entry is some[-1]


def _cursor(entry: Cursor, queues: int) -> str | None:
    if queues == 1:
        entry = entry._replace(queue="")
    return str(entry) if len(entry.queue) <= LONGEST_QUEUE else None
