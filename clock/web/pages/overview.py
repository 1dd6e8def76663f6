"""The main page: a row an event, and whether the clocks are alive."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clock.ledger.clocks import Life
from clock.observe.reading import read_status
from clock.observe.rq.workers import count_workers
from clock.observe.state import State
from clock.observe.status import AppStatus
from clock.web.context import Context
from clock.web.pages import history_bars
from clock.web.pages.rendering import context_of, fragment, render
from clock.web.pages.row import ORDERS, URGENCY, Row, rows_of, sorted_rows

DIGEST = 8
"""Digits of what a reader has of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the page shows: the status, its rows, and the queues no worker listens on."""

    status: AppStatus
    rows: Sequence[Row]
    deserted: Sequence[str]

    @property
    def counted(self) -> list[tuple[State, int]]:
        """How many events are in which state, what needs a person first."""
        counts = Counter(row.state for row in self.rows)
        return [(state, counts[state]) for state in URGENCY if counts[state]]

    @property
    def order(self) -> str:
        """Which events there are, and in which order."""
        return f"{zlib.crc32(repr([row.name for row in self.rows]).encode()):08x}"

    @property
    def last(self) -> Life | None:
        """The clock that ticked last."""
        return self.status.lives[0] if self.status.lives else None


def read_overview(context: Context, now: float) -> Overview:
    """The page's content in four round trips, however many events there are. Raises ServerError."""
    connection = context.connection
    status = read_status(
        connection,
        context.app,
        now,
        tolerance=context.tolerance,
        decisions=history_bars.LENGTH,
        runs=history_bars.LENGTH,
    )
    enabled = (each for each in status.events if each.state is not State.DISABLED)
    workers = count_workers(connection, (each.description.queue for each in enabled))
    return Overview(
        status=status,
        rows=rows_of(status.events, status.runs, now),
        deserted=sorted(queue for queue, count in workers.items() if count == 0),
    )


def show_overview(request: Request) -> Response:
    """``GET /``: ``sort`` is a column, with a minus before it for the other way round; ``q`` are
    words that a row must have.
    """
    context = context_of(request)
    now = context.now()
    overview = read_overview(context, now)
    order, words = request.query_params.get("sort", "state"), request.query_params.get("q", "")
    column = order.removeprefix("-")
    column = column if column in ORDERS else "state"
    rows = sorted_rows(overview.rows, column, descending=order.startswith("-"))
    return render(
        request,
        "overview.html",
        now=now,
        overview=overview,
        rows=rows,
        shown={row.number for row in rows if has_words(row, words)},
        bars={mark.name.lower(): bar for mark, bar in history_bars.BARS.items()},
        q=words,
        sort=column,
        descending=order.startswith("-"),
        said=said_of(request),
    )


def show_changes(request: Request) -> Response:
    """``GET /live``: what differs from what the reader has.

    ``order`` is the digest of the events in their order, ``have`` the digests of their rows.
    """
    context = context_of(request)
    now = context.now()
    overview = read_overview(context, now)
    said = {"now": now, "banner": fragment("_banner.html", overview=overview, now=now)}
    if request.query_params.get("order") != overview.order:
        return JSONResponse(said | {"reload": True})
    changed = changed_rows(overview.rows, request.query_params.get("have", ""))
    root = request.scope.get("root_path", "")
    shown = {
        row.number: fragment(
            "_row.html",
            row=row,
            is_hidden=False,
            now=now,
            root=root,
            actions=context.access.actions,
        )
        for row in changed
    }
    return JSONResponse(said | {"rows": shown})


def changed_rows(rows: Sequence[Row], have: str) -> list[Row]:
    """The rows whose digests are not in their place in ``have``."""
    return [row for at, row in enumerate(rows) if row.digest != have[at * DIGEST :][:DIGEST]]


def has_words(row: Row, words: str) -> bool:
    """Whether each of ``words`` is somewhere in the row."""
    return all(word in row.words for word in words.lower().split())


_DONE: Mapping[str, str] = {
    "run": "{} was put on its queue.",
    "pause": "{} is paused.",
    "resume": "{} is resumed.",
    "requeue": "{} was put on its queue again.",
    "requeue-none": "{} is not among the failed jobs any more.",
    "delete": "{} was deleted.",
    "delete-unknown": "{} is not there any more.",
    "delete-started": "{} runs, and was left alone.",
    "delete-needed": "{} was left alone: another job waits for its end.",
    "requeue-all": "{} jobs were put on their queues again.",
    "delete-all": "{} jobs were deleted.",
}


def said_of(request: Request) -> str:
    """What an action that led back here did."""
    done, of = request.query_params.get("done", ""), request.query_params.get("of", "")
    return done_words(done, of[:200])


def done_words(done: str, of: str) -> str:
    """One sentence about an action of that name; nothing for another name."""
    return _DONE[done].format(of) if done in _DONE else ""
