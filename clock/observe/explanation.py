"""Why an occurrence fired, or did not, and what is known of its job: for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from clock.ledger.job import job_id
from clock.ledger.manual_runs import read_manual_runs
from clock.ledger.pauses import Pause, pause_among, read_pauses_of
from clock.observe import objects
from clock.observe.formatting import utc
from clock.observe.reading import EventReading
from clock.observe.reasons import sentence
from clock.observe.rq.job_state import JobState, read_job
from clock.observe.why import Verdict, WhyAnswer, last_due, why
from clock.runs.run import Run
from clock.schedule.option import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A run by hand in the second of the occurrence: its job, the job's status and the outcome of
    its run, None where they are not known.
    """

    job: str
    status: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What became of the occurrence of ``event`` that ``answer`` is about, with its ``zone``.

    ``words`` is a sentence. ``job`` is its job, or, where it is overdue, the one that has the id of
    its job; ``run`` the last run of it, ``pause`` the one in effect then, ``manual`` the runs by
    hand in that second.
    """

    app: str
    event: str
    zone: str
    answer: WhyAnswer
    words: str
    job: JobState | None
    run: Run | None
    pause: Pause | None
    manual: Sequence[ManualRun]


def explain_occurrence(
    connection: Redis, app: str, reading: EventReading, at: int | None, now: float
) -> Explanation:
    """What became of the occurrence of the event of ``reading`` at ``at``, or of the last that was
    due (UTC seconds since 1970), as known at ``now``.

    Raises RecurrenceError where the recurrence does, and ServerError.
    """
    event = reading.event
    if at is None:
        last = last_due(event, now)
        at = int(now) if last is None else last
    answer = why(event, reading.lives, at, now)
    job = _job(connection, app, event.name, answer)
    pause = pause_among(read_pauses_of(connection, app, event.name), at)
    earlier = None if answer.earlier is None else job_id(app, event.name, answer.earlier)
    words = sentence(event, answer, pause, job, earlier, now)
    run, manual = _run(reading.runs, answer), _manual(connection, app, event.name, at, reading.runs)
    return Explanation(
        app=app,
        event=event.name,
        zone=event.description.zone.name,
        answer=answer,
        words=_with_runs(words, run, manual),
        job=job,
        run=run,
        pause=pause,
        manual=manual,
    )


def _with_runs(words: str, run: Run | None, manual: Sequence[ManualRun]) -> str:
    if run is not None:
        words += f"; its run {_ended(run)}"
    for one in manual:
        words += f"; it was run by hand then, as job {one.job}"
        words += f", {one.outcome or one.status or 'which RQ keeps no more'}"
    return words


def _ended(run: Run) -> str:
    error = f" ({run.error})" if run.error else ""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"{run.outcome}{error} in {run.duration:.3f} s{attempt}, on the worker {run.worker}"


def _job(connection: Redis, app: str, event: str, answer: WhyAnswer) -> JobState | None:
    """It may outlive its decision in the history."""
    if answer.verdict not in {Verdict.FIRED, Verdict.FORGOTTEN, Verdict.OVERDUE}:
        return None
    return read_job(connection, job_id(app, event, answer.at))


def _run(runs: Sequence[Run], answer: WhyAnswer) -> Run | None:
    """Where ``clock.worker.Worker`` recorded one."""
    if answer.verdict not in {Verdict.FIRED, Verdict.FORGOTTEN}:
        return None
    return next((run for run in runs if run.scheduled == answer.at), None)


def _manual(
    connection: Redis, app: str, event: str, at: int, runs: Sequence[Run]
) -> list[ManualRun]:
    outcomes = {run.job: run.outcome for run in reversed(runs)}
    manual = []
    for job in read_manual_runs(connection, app, [event])[event].get(at, []):
        state = read_job(connection, job)
        status = None if state is None else state.status
        manual.append(ManualRun(job=job, status=status, outcome=outcomes.get(job)))
    return manual


_MANUAL = objects.of(job=objects.TEXT, status=objects.MAYBE_TEXT, outcome=objects.MAYBE_TEXT)
_LAST_RUN = objects.of(
    outcome=objects.TEXT, error=objects.MAYBE_TEXT, attempt=objects.COUNT,
    duration=objects.MAYBE_SECONDS, worker=objects.TEXT,
)  # fmt: skip
_ALWAYS = {
    "event": objects.TEXT, "at": objects.INSTANT, "tz": objects.TEXT,
    "verdict": {"type": "string", "enum": [*map(str, Verdict)]},
    "said": {**objects.TEXT, "description": "A sentence for a person."},
}  # fmt: skip
_SOMETIMES = {
    "first": objects.INSTANT, "last": objects.INSTANT, "count": objects.COUNT,
    "job": objects.TEXT, "lateness": objects.MAYBE_SECONDS, "job_status": objects.TEXT,
    "started_at": objects.MAYBE_TEXT, "ended_at": objects.MAYBE_TEXT, "pause": objects.PAUSE,
    "overlaps_with": objects.TEXT,
    "no_clock": objects.of(**{"from": objects.MAYBE_INSTANT, "until": objects.MAYBE_INSTANT}),
    "before": objects.MAYBE_INSTANT, "after": objects.MAYBE_INSTANT,
    "known_from": objects.MAYBE_INSTANT, "manual": objects.listed(_MANUAL), "run": _LAST_RUN,
}  # fmt: skip
EXPLANATION: Schema = {
    "type": "object",
    "properties": {**_ALWAYS, **_SOMETIMES},
    "required": [*_ALWAYS],
    "additionalProperties": False,
}


def explanation_object(explanation: Explanation) -> dict[str, Any]:
    """The object of an explanation; which of its properties are there depends on the verdict."""
    answer, job, run = explanation.answer, explanation.job, explanation.run
    decision, absence, app = answer.decision, answer.absence, explanation.app
    shown: dict[str, Any] = {
        "event": explanation.event,
        "at": utc(answer.at),
        "tz": explanation.zone,
        "verdict": answer.verdict,
        "said": explanation.words,
    }
    if decision is not None:
        shown |= {"first": utc(decision.first), "last": utc(decision.last), "count": decision.count}
    if answer.verdict is Verdict.FIRED:
        shown["job"] = job_id(app, explanation.event, answer.at)
        shown["lateness"] = None if decision is None else decision.lateness
    if job is not None and answer.verdict is not Verdict.OVERDUE:
        shown |= {"job": job.id, "job_status": job.status, "started_at": job.started_at}
        shown["ended_at"] = job.ended_at
    if answer.verdict is Verdict.PAUSED and explanation.pause is not None:
        shown["pause"] = objects.pause_object(explanation.pause)
    if answer.earlier is not None:
        shown["overlaps_with"] = job_id(app, explanation.event, answer.earlier)
    if absence is not None:
        shown["no_clock"] = {"from": utc(absence.start), "until": utc(absence.end)}
    if answer.verdict is Verdict.NOT_DUE:
        shown |= {"before": utc(answer.before), "after": utc(answer.after)}
    if answer.verdict is Verdict.FORGOTTEN:
        shown["known_from"] = utc(answer.known_from)
    if explanation.manual:
        shown["manual"] = [objects.filled(_MANUAL, manual) for manual in explanation.manual]
    if run is not None:
        shown["run"] = objects.filled(_LAST_RUN, run, duration=round(run.duration, 3))
    return shown
