"""The attempts at a job: those that RQ keeps results of, those whose output is kept and, for a job
of an event, its runs. RQ itself keeps nothing of an attempt after which it retried the job.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from redis import Redis
from rq.job import Job

from clock.connection import rq_keys
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip
from clock.ledger.values import instant, text, whole
from clock.observe.rq.jobs import JobSummary
from clock.observe.rq.listed_job import error_line
from clock.observe.rq.payload import LARGEST, read_plain
from clock.runs.output import RunOutput
from clock.runs.records import read_runs
from clock.runs.run import Run, RunOutcome

MOST = 50
"""Attempts read of a job, the latest; RQ keeps about ten results."""

_OUTCOMES = {
    1: RunOutcome.SUCCEEDED,
    2: RunOutcome.FAILED,
    3: RunOutcome.STOPPED,
    4: RunOutcome.RETRIED,
    5: RunOutcome.FAILED,
}
"""The outcomes by RQ's numbers for them."""

_SAME = 2.0
"""Seconds by which a result of RQ's and the record of the same run may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a job. Instants are UTC seconds since 1970, None where they are not known;
    ``outcome`` is None while it runs. ``waited`` are the seconds before it: on its queue or, where
    that is not known, since the attempt before. ``error`` is its error in one line.
    """

    number: int
    started: float | None
    ended: float | None
    outcome: RunOutcome | None
    worker: str | None
    waited: float | None
    error: str | None

    @property
    def took(self) -> float | None:
        """Seconds it ran."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, self.ended - self.started)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The attempts at a job, the first one first. ``result`` is what the last successful one
    returned, where ``has_result``; ``is_readable`` says whether that is a plain value.
    """

    attempts: tuple[Attempt, ...]
    has_result: bool
    is_readable: bool
    result: Any


def read_attempts(
    connection: Redis, app: str, job: JobSummary, outputs: Sequence[RunOutput] = ()
) -> Attempts:
    """The attempts at ``job`` of an application, whose ``outputs`` are kept, in two round trips.

    Raises ServerError.
    """
    key = rq_keys.results(job.id)
    stored = reply_about(key, connection.xrevrange, "+", "-", MOST) or ()
    results = [(name, fields) for name, fields in reversed(stored)]
    known = [attempt for entry in results if (attempt := _of_result(job.id, *entry)) is not None]
    known.sort(key=lambda attempt: attempt.ended or 0.0)
    if job.event is not None:
        runs = [run for run in read_runs(connection, app, job.event) if run.job == job.id]
        known = _with_runs(known, runs[:MOST])
    known = _with_outputs(known, outputs[-MOST:])
    if job.status == "started":
        known.append(_running(job))
    last = results[-1][1] if results else {}
    return Attempts(
        attempts=tuple(_numbered(known, job)),
        has_result=b"return_value" in last,
        **_result(job.id, last.get(b"return_value")),
    )


def _of_result(job: str, identifier: bytes, fields: Mapping[bytes, bytes]) -> Attempt | None:
    try:
        begin, end = fields.get(b"execution_started_at"), fields.get(b"execution_ended_at")
        # The stream numbers its entries by the server's clock, in milliseconds.
        written = whole(identifier.partition(b"-")[0], 0) / 1000
        line = error_line(job, fields.get(b"exc_string") or b"")
        return Attempt(
            number=0,
            started=instant(begin) if begin else None,
            ended=instant(end) if end else instant(written),
            outcome=_OUTCOMES[whole(fields[b"type"])],
            worker=text(fields.get(b"worker_name") or b"", 500) or None,
            waited=None,
            error=line.line if line else None,
        )
    except READ_ERRORS as error:
        skip(Job.key_for(job), error, "results")
        return None


def _with_runs(known: Sequence[Attempt], runs: Sequence[Run]) -> list[Attempt]:
    """The attempts of the ``runs``, with the errors of those ``known``; and the others of these."""
    merged = []
    left = list(known)
    for run in runs:
        same = _ended_at(left, run.ended)
        if same is not None:
            left.remove(same)
        merged.append(
            Attempt(
                number=run.attempt,
                started=run.started,
                ended=run.ended,
                outcome=run.outcome,
                worker=run.worker,
                waited=max(0.0, run.wait),
                error=(same.error if same else None) or run.error,
            )
        )
    return sorted([*merged, *left], key=lambda attempt: attempt.ended or 0.0)


def _with_outputs(known: Sequence[Attempt], outputs: Sequence[RunOutput]) -> list[Attempt]:
    """The attempts ``known``, with the numbers of the ``outputs``; and the others of these."""
    merged = list(known)
    for output in outputs:
        same = _ended_at(merged, output.ended)
        if same is None:
            merged.append(_of_output(output))
        elif not same.number:
            merged[merged.index(same)] = replace(same, number=output.attempt)
    return sorted(merged, key=lambda attempt: attempt.ended or 0.0)


def _of_output(output: RunOutput) -> Attempt:
    return Attempt(
        number=output.attempt,
        started=None,
        ended=output.ended,
        outcome=output.outcome,
        worker=None,
        waited=None,
        error=None,
    )


def _ended_at(attempts: Sequence[Attempt], ended: float) -> Attempt | None:
    """The attempt that ended about then."""
    closest = min(attempts, key=lambda one: abs((one.ended or 0) - ended), default=None)
    return closest if closest is not None and abs((closest.ended or 0) - ended) < _SAME else None


def _running(job: JobSummary) -> Attempt:
    return Attempt(
        number=0,
        started=job.started,
        ended=None,
        outcome=None,
        worker=job.worker,
        waited=None,
        error=None,
    )


def _numbered(known: Sequence[Attempt], job: JobSummary) -> list[Attempt]:
    numbered: list[Attempt] = []
    for attempt in known:
        before = numbered[-1] if numbered else None
        number = attempt.number or (before.number + 1 if before else 1)
        since = before.ended if before else job.enqueued if len(known) == 1 else None
        waited = attempt.waited
        if waited is None and since is not None and attempt.started is not None:
            waited = max(0.0, attempt.started - since)
        numbered.append(replace(attempt, number=number, waited=waited))
    return numbered


def _result(job: str, packed: bytes | None) -> dict[str, Any]:
    if packed is None or len(packed) > 2 * LARGEST:
        return {"is_readable": False, "result": None}
    try:
        return {"is_readable": True, "result": read_plain(b64decode(packed))}
    except ValueError as error:
        skip(Job.key_for(job), error, "return_value")
        return {"is_readable": False, "result": None}
