"""The answer to ``clock why`` as a sentence."""

from __future__ import annotations

from clock.decision import Kind
from clock.ledger.pauses import Pause
from clock.observe.formatting import local, span
from clock.observe.rq.job_state import JobState
from clock.observe.status import EventStatus
from clock.observe.why import Absence, Verdict, WhyAnswer
from clock.recurrence.zone import Zone


def sentence(
    event: EventStatus,
    answer: WhyAnswer,
    pause: Pause | None,
    job: JobState | None,
    earlier_job: str | None,
    now: float,
) -> str:
    """One sentence, times in the event's zone. ``now`` is UTC seconds since 1970."""
    zone, description = event.description.zone, event.description
    match answer.verdict:
        case Verdict.FIRED:
            return _fired(answer, job)
        case Verdict.EXPIRED:
            return (
                f"not enqueued: it expires {span(description.expires or 0)} after its time, and "
                + (_absent(answer.absence, zone) or "a clock came to it later than that")
            )
        case Verdict.MISSED:
            return f"missed: {_absent(answer.absence, zone) or 'no clock could claim it'}" + (
                ", and catch_up='none' makes nothing up"
                if description.catch_up == 0
                else f", and catch_up makes up the newest only{_of(answer, zone)}"
            )
        case Verdict.TOO_LATE:
            return f"missed: outside the window, within={span(description.within or 0)}; " + (
                _absent(answer.absence, zone) or "a clock came to it later than that"
            )
        case Verdict.OVER_CAP:
            most = f"more were missed than the {description.catch_up} that catch_up makes up"
            return (
                f"missed: {_absent(answer.absence, zone) or 'no clock could claim it'}, and {most}"
            )
        case Verdict.OVERLAP:
            with_job = f", {earlier_job}" if earlier_job else ""
            return f"skipped: overlap with the job before it{with_job}, which still waited or ran"
        case Verdict.PAUSED:
            return _paused(pause, zone)
        case Verdict.UNMET:
            return "skipped: its condition (if_) said no"
        case Verdict.ERROR:
            return "skipped: its condition (if_) raised an error, which the clock's log names"
    return _not_decided(event, answer, pause, job, now)


def _not_decided(
    event: EventStatus, answer: WhyAnswer, pause: Pause | None, job: JobState | None, now: float
) -> str:
    zone, description = event.description.zone, event.description
    match answer.verdict:
        case Verdict.COMING:
            held = "" if pause is None else f", unless it is resumed: {_paused(pause, zone)}"
            return f"due then, in {span(answer.at - now)}{held}"
        case Verdict.PENDING:
            return "due, and not decided yet; a clock is alive and may do it any moment"
        case Verdict.OVERDUE if job is not None:
            return (
                f"overdue: another job, which is {job.status}, has the id of its job, {job.id}; "
                "it can be enqueued once that one is gone"
            )
        case Verdict.OVERDUE:
            return "overdue: it should have fired, a clock is alive, and did not decide it"
        case Verdict.NO_CLOCK:
            return f"not enqueued: {_absent(answer.absence, zone)}; it is not decided yet"
        case Verdict.NOT_DUE:
            before = "nothing" if answer.before is None else local(answer.before, zone)
            after = "nothing" if answer.after is None else local(answer.after, zone)
            return f"not due then ({description.rule}); before it: {before}, after it: {after}"
        case Verdict.NOT_SCHEDULED:
            if description.removed is not None and answer.at >= description.removed:
                return f"not in the schedule then: removed by {local(description.removed, zone)}"
            return (
                "not in the schedule then, or with other times: it is as it is now "
                f"({description.rule}) since {local(description.since, zone)}"
            )
        case Verdict.DISABLED:
            return f"disabled in the schedule since {local(description.since, zone)}"
        case Verdict.AHEAD:
            return (
                "it does not fire: the event's record stands at "
                f"{local(answer.after or 0, zone)}, in the server's future, so that all before it "
                f"counts as decided; clock rewind {event.name!r} sets it back"
            )
        case Verdict.FORGOTTEN:
            return _forgotten(answer, job, zone)
    return "its times come from code, and its clock published none around then"


def _fired(answer: WhyAnswer, job: JobState | None) -> str:
    decision = answer.decision
    late = (
        "" if decision is None or decision.lateness is None else f", {decision.lateness:.3f} s late"
    )
    stuck = decision is not None and decision.kind is Kind.FIRED_PAST_STUCK
    past = ", although the job before it still waited: that was for too long" if stuck else ""
    if job is None:
        return f"fired{late}{past}; RQ keeps its job no more"
    ended = f" since {job.ended_at}" if job.ended_at else ""
    return f"fired{late}, as job {job.id}{past}; it is {job.status}{ended}"


def _forgotten(answer: WhyAnswer, job: JobState | None, zone: Zone) -> str:
    if job is not None:
        return f"fired, as job {job.id}, which is {job.status}; the history does not reach so far"
    if answer.known_from is None:
        return "decided, but the history has nothing of it"
    return (
        "decided, but too long ago: the history begins at "
        f"{local(answer.known_from, zone)}, and RQ keeps no job of it"
    )


def _paused(pause: Pause | None, zone: Zone) -> str:
    if pause is None:
        return "paused; who did it is not known any more"
    until = "until it is resumed" if pause.until is None else f"until {local(pause.until, zone)}"
    reason = f": {pause.reason}" if pause.reason else ", without a reason"
    return f"paused by {pause.by} from {local(pause.since, zone)} {until}{reason}"


def _absent(absence: Absence | None, zone: Zone) -> str:
    """From when to when no clock was alive; empty where one was."""
    if absence is None:
        return ""
    if absence.start is None and absence.end is None:
        return "no clock is remembered"
    if absence.start is None:
        return f"no clock is remembered before {local(absence.end or 0, zone)}"
    if absence.end is None:
        return f"no clock has been alive since {local(absence.start, zone)}"
    return f"no clock was alive from {local(absence.start, zone)} to {local(absence.end, zone)}"


def _of(answer: WhyAnswer, zone: Zone) -> str:
    decision = answer.decision
    if decision is None or decision.count == 1:
        return ""
    return f"; with it {decision.count - 1} more were missed, up to {local(decision.last, zone)}"
