"""The report: what the log says of decisions, a line for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from clock.decision import FIRING, Kind
from clock.ledger.ledger import Claim, ClaimResult

MESSAGES = {
    Kind.FIRED: "enqueued",
    Kind.FIRED_PAST_STUCK: "enqueued",
    Kind.EXPIRED: "expired",
    Kind.MISSED: "missed",
    Kind.TOO_LATE: "missed",
    Kind.OVER_CAP: "missed",
    Kind.OVERLAP: "skipped",
    Kind.PAUSED: "skipped",
    Kind.UNMET: "skipped",
    Kind.ERROR: "skipped",
}

REASONS = {
    Kind.FIRED_PAST_STUCK: "the job before it has been waiting for too long",
    Kind.MISSED: "no clock could claim it",
    Kind.TOO_LATE: "too late",
    Kind.OVER_CAP: "more were missed than catch_up makes up",
    Kind.OVERLAP: "the job before it still waits or runs",
    Kind.PAUSED: "paused",
    Kind.UNMET: "its condition said no",
    Kind.ERROR: "its condition failed",
}

LOUD = frozenset({Kind.MISSED, Kind.TOO_LATE, Kind.OVER_CAP, Kind.FIRED_PAST_STUCK, Kind.EXPIRED})
"""What is logged as a warning."""

log = logging.getLogger("clock")


def report(
    outcomes: Iterable[ClaimResult], claimed_at: float, job_id: Callable[[Claim], str]
) -> None:
    """Log a line for each of ``outcomes`` that was recorded, all that are alike in one record.

    They were claimed at ``claimed_at``, UTC seconds since 1970; ``job_id`` gives the id of the job
    of a claim that fired.
    """
    alike: dict[tuple[object, ...], list[ClaimResult]] = {}
    for outcome in outcomes:
        if outcome.kind is not None:
            claim, event = outcome.claim, outcome.claim.event
            key = (outcome.kind, *claim[1:], event.zone.name, event.job.queue)
            alike.setdefault(key, []).append(outcome)
    # What was passed over is told before what fired.
    for group in sorted(alike.values(), key=lambda group: group[0].kind in FIRING):
        kind = group[0].kind or Kind.FIRED
        own = [
            {
                "event": outcome.claim.event.name,
                "job": job_id(outcome.claim) if kind in FIRING else None,
            }
            for outcome in group
        ]
        extra = {"fields": _shared(group[0].claim, kind, claimed_at), "each": own}
        log.log(logging.WARNING if kind in LOUD else logging.INFO, MESSAGES[kind], extra=extra)


def _shared(claim: Claim, kind: Kind, claimed_at: float) -> dict[str, object]:
    """What is said of a decision, and of all that are like it."""
    event, count, fires = claim.event, claim.occurrences, kind in FIRING
    return {
        "event": None,
        "scheduled_at": event.local(claim.scheduled),
        "lateness": round(claimed_at - claim.scheduled, 3) if fires else None,
        "reason": REASONS.get(kind),
        "first": event.local(claim.first) if claim.first is not None and count > 1 else None,
        "count": count if count > 1 else None,
        "queue": event.job.queue if fires else None,
        "job": None,
    }
