"""The history of an event: what was decided about its occurrences, why, and how its runs ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis

from clock.decision import Decision, Kind
from clock.ledger.job import job_id
from clock.ledger.manual_runs import read_manual_runs
from clock.ledger.pauses import Pause, pause_among, read_pauses_of
from clock.observe.reading import EventReading
from clock.observe.reasons import sentence
from clock.observe.why import why
from clock.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A decision and its reason. ``job`` is the id of the job, None where none was enqueued or it
    is not known; ``run`` the last run of it, None where no worker recorded one.
    """

    decision: Decision
    reason: str
    job: str | None
    run: Run | None


def read_history(
    connection: Redis, app: str, reading: EventReading, now: float
) -> list[HistoryEntry]:
    """The decisions about the event of ``reading``, the latest first, as known at ``now`` (UTC
    seconds since 1970). Two round trips. Raises ServerError.
    """
    record, name = reading.event.record, reading.event.name
    if record is None:
        return []
    pauses = read_pauses_of(connection, app, name)
    manual = dict(read_manual_runs(connection, app, [name])[name])
    runs: dict[str, Run] = {}
    for run in reading.runs:
        runs.setdefault(run.job, run)
    entries = []
    for decision in record.history:
        job = None
        if decision.kind is Kind.MANUAL:
            of_second = manual.get(decision.last)
            job = of_second.pop(0) if of_second else None
        elif decision.kind.is_enqueued:
            job = job_id(app, name, decision.last)
        entries.append(
            HistoryEntry(
                decision=decision,
                reason=_reason(app, reading, decision, pauses, now),
                job=job,
                run=None if job is None else runs.get(job),
            )
        )
    return entries


def _reason(
    app: str, reading: EventReading, decision: Decision, pauses: Sequence[Pause], now: float
) -> str:
    if decision.kind is Kind.MANUAL or decision.kind.is_enqueued:
        return decision.kind.words
    event = reading.event
    answer = why(event, reading.lives, decision.last, now)
    earlier = None if answer.earlier is None else job_id(app, event.name, answer.earlier)
    return sentence(event, answer, pause_among(pauses, decision.last), None, earlier, now)
