"""The last line of the error of each failing event."""

from __future__ import annotations

from collections.abc import Collection

from redis import Redis

from clock.observe.error_text import read_error
from clock.observe.rq.jobs import read_errors
from clock.observe.status import AppStatus
from clock.runs.plain_text import plain_text

READ = 20
"""Failing events whose error is read; of the others the class of the error is known."""

WIDEST = 200
"""Characters of a line."""


def read_last_errors(
    connection: Redis, status: AppStatus, only: Collection[str] | None = None
) -> dict[str, str]:
    """The last line of the error of the last run, by event, where RQ still has it: of the ``READ``
    events of ``status`` that failed last, among the names ``only`` where they are given.

    One round trip. Raises ServerError.
    """
    newest = [
        status.runs[event.name].newest
        for event in status.events
        if event.is_failing and event.name in status.runs
        if only is None or event.name in only
    ]
    newest = sorted(newest, key=lambda run: run.ended, reverse=True)[:READ]
    errors = read_errors(connection, [run.job for run in newest]) if newest else []
    lines = zip(newest, map(last_line, errors), strict=True)
    return {run.event: line for run, line in lines if line}


def last_line(error: str | None) -> str:
    """The line of a traceback that names the error, as plain text; empty for None."""
    return shortened(read_error(error).line) if error else ""


def shortened(line: str) -> str:
    """``line`` as plain text, cut at ``WIDEST`` characters, on one line."""
    text = " ".join(plain_text(line[: 2 * WIDEST]).split())
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"
