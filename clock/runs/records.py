"""The record of runs: the attempts at an event's jobs, kept after the jobs are gone.

A run is one line of JSON in a list for each event, the one that ended last first: ``[scheduled,
enqueued, started, ended, outcome, error, attempt, worker, job]``. Instants are UTC seconds since
1970, with milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip
from clock.ledger.values import instant, second, text, whole
from clock.runs.failures import keep_failed
from clock.runs.run import Run, RunOutcome
from clock.runs.totals import measure

LONGEST = 10_000
"""Characters of a run that is read; it has some 150."""

_MAY_HAVE_FAILED = {RunOutcome.FAILED, RunOutcome.ABANDONED, RunOutcome.STOPPED}


def write_run(connection: Redis | Pipeline, app: str, run: Run) -> None:
    """Record ``run``, and its job as failed where it may be: a few commands, on a connection or as
    part of a pipeline.
    """
    key = keys.runs(app, run.event)
    connection.lpush(key, _line(run))
    connection.ltrim(key, 0, keys.RUNS - 1)
    connection.expire(key, keys.RUNS_TTL)
    measure(connection, app, run)
    if run.outcome in _MAY_HAVE_FAILED:
        keep_failed(connection, app, run.event, run.job, keys.FAILED_KEPT)


def read_runs(connection: Redis, app: str, event: str, limit: int = keys.RUNS) -> list[Run]:
    """The last ``limit`` runs of ``event``, the one that ended last first.

    Raises ServerError where the server is away.
    """
    if limit < 1:
        return []
    lines = reply_about(keys.runs(app, event), connection.lrange, 0, limit - 1)
    return parse_runs(app, event, lines)


def _line(run: Run) -> str:
    instants = [round(instant, 3) for instant in (run.enqueued, run.started, run.ended)]
    rest = [str(run.outcome), run.error, run.attempt, run.worker, run.job]
    return json.dumps([run.scheduled, *instants, *rest], separators=(",", ":"))


def parse_runs(app: str, event: str, lines: Iterable[bytes | str] | None) -> list[Run]:
    """The runs of ``event`` from their lines."""
    runs = []
    for line in lines or ():
        try:
            runs.append(_parse(event, line))
        except READ_ERRORS as error:
            skip(keys.runs(app, event), error, line)
    return runs


def _parse(event: str, line: bytes | str) -> Run:
    fields = json.loads(text(line, LONGEST))
    scheduled, enqueued, started, ended, outcome, error, attempt, worker, job = fields
    return Run(
        event=event,
        scheduled=second(scheduled),
        enqueued=instant(enqueued),
        started=instant(started),
        ended=instant(ended),
        outcome=RunOutcome(outcome),
        error=None if error is None else text(error),
        attempt=whole(attempt, 0),
        worker=text(worker),
        job=text(job),
    )
