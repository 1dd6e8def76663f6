"""``clock why EVENT [TIME]``: why an occurrence fired, or did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from redis import Redis

from clock.cli import options
from clock.cli.connect import connect
from clock.cli.printing import print_objects
from clock.ledger.job import job_id
from clock.ledger.manual_runs import read_manual_runs
from clock.ledger.pauses import Pause, pause_among, read_pauses_of
from clock.observe import why as observed
from clock.observe.formatting import local, utc
from clock.observe.objects import pause_object
from clock.observe.reading import read_event
from clock.observe.reasons import sentence
from clock.observe.rq.job_state import JobState, read_job
from clock.observe.rq.workers import count_workers
from clock.observe.status import EventStatus
from clock.observe.why import Verdict, WhyAnswer
from clock.runs.run import Run
from clock.schedule.event import seconds


@click.command(
    name="why", epilog=options.examples("why reports.daily", "why reports.daily 2026-11-21T09:30")
)
@click.argument("event")
@click.argument("at", metavar="[TIME]", type=options.Instant(), required=False)
@options.server
@options.overdue_after
@options.as_json_object
def why_event(
    event: str,
    at: datetime | None,
    url: str | None,
    settings: str | None,
    app: str,
    tolerance: float,
    as_json: bool,
) -> None:
    """Explain why an occurrence of EVENT fired or did not.

    TIME is when it was scheduled [default: the last that was due]; without an offset it is local
    time in the zone of EVENT. The ledger remembers some forty decisions per event. Needs no
    schedule file.
    """
    connection, now = connect(url, settings)
    reading = read_event(connection, app, event, now, tolerance=tolerance)
    status = reading.event
    zone = status.description.zone
    if at is None:
        instant = observed.last_due(status, now)
        instant = int(now) if instant is None else instant
    else:
        instant = seconds(options.in_zone(at, zone))
    answer = observed.why(status, reading.lives, instant, now)
    job = _job(connection, app, status, answer)
    pause = pause_among(read_pauses_of(connection, app, event), instant)
    earlier = None if answer.earlier is None else job_id(app, event, answer.earlier)
    words = sentence(status, answer, pause, job, earlier, now)
    run = _run(reading.runs, answer)
    if run is not None:
        words += f"; its run {_ended(run)}"
    manual = _manual(connection, app, event, instant, reading.runs)
    for run_then in manual:
        words += f"; it was run by hand then, as job {run_then['job']}"
        words += f", {run_then['outcome'] or run_then['status'] or 'which RQ keeps no more'}"
    if as_json:
        shown = _as_object(status, answer, words, job, pause, app)
        if manual:
            shown["manual"] = manual
        if run is not None:
            shown["run"] = {"outcome": run.outcome, "error": run.error, "attempt": run.attempt}
            shown["run"] |= {"duration": round(run.duration, 3), "worker": run.worker}
        print_objects([shown])
    else:
        click.echo(f"{event}, {local(instant, zone)} ({zone.name}):")
        click.echo(f"  {words}")
    queue = status.description.queue
    if count_workers(connection, [queue])[queue] == 0:
        click.echo(f"warning: no worker listens on the queue {queue!r}", err=True)


def _job(connection: Redis, app: str, event: EventStatus, answer: WhyAnswer) -> JobState | None:
    """The job of the occurrence, which may outlive its decision in the history. For an overdue
    one, the job that has its id.
    """
    if answer.verdict not in {Verdict.FIRED, Verdict.FORGOTTEN, Verdict.OVERDUE}:
        return None
    return read_job(connection, job_id(app, event.name, answer.at))


def _run(runs: Sequence[Run], answer: WhyAnswer) -> Run | None:
    """The last run of the occurrence, if ``clock.worker.Worker`` recorded it."""
    if answer.verdict not in {Verdict.FIRED, Verdict.FORGOTTEN}:
        return None
    return next((run for run in runs if run.scheduled == answer.at), None)


def _manual(
    connection: Redis, app: str, event: str, instant: int, runs: Sequence[Run]
) -> list[dict[str, str | None]]:
    """The runs by hand in the second ``instant``, each with its job and what became of it."""
    outcomes = {run.job: run.outcome for run in reversed(runs)}
    jobs = read_manual_runs(connection, app, [event])[event].get(instant, [])
    states = [read_job(connection, job) for job in jobs]
    return [
        {
            "job": job,
            "status": None if state is None else state.status,
            "outcome": outcomes.get(job),
        }
        for job, state in zip(jobs, states, strict=True)
    ]


def _ended(run: Run) -> str:
    error = f" ({run.error})" if run.error else ""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"{run.outcome}{error} in {run.duration:.3f} s{attempt}, on the worker {run.worker}"


def _as_object(
    event: EventStatus,
    answer: WhyAnswer,
    words: str,
    job: JobState | None,
    pause: Pause | None,
    app: str,
) -> dict[str, Any]:
    decision, absence = answer.decision, answer.absence
    shown: dict[str, Any] = {
        "event": event.name,
        "at": utc(answer.at),
        "tz": event.description.zone.name,
        "verdict": answer.verdict,
        "said": words,
    }
    if decision is not None:
        shown |= {"first": utc(decision.first), "last": utc(decision.last), "count": decision.count}
    if answer.verdict is Verdict.FIRED:
        shown["job"] = job_id(app, event.name, answer.at)
        shown["lateness"] = None if decision is None else decision.lateness
    if job is not None and answer.verdict is not Verdict.OVERDUE:
        shown |= {"job": job.id, "job_status": job.status, "started_at": job.started_at}
        shown["ended_at"] = job.ended_at
    if answer.verdict is Verdict.PAUSED and pause is not None:
        shown["pause"] = pause_object(pause)
    if answer.earlier is not None:
        shown["overlaps_with"] = job_id(app, event.name, answer.earlier)
    if absence is not None:
        shown["no_clock"] = {"from": utc(absence.start), "until": utc(absence.end)}
    if answer.verdict is Verdict.NOT_DUE:
        shown |= {"before": utc(answer.before), "after": utc(answer.after)}
    if answer.verdict is Verdict.FORGOTTEN:
        shown["known_from"] = utc(answer.known_from)
    return shown
