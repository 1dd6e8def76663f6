"""The log lines of decisions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from clock.decision import Group, Kind
from clock.ledger.ledger import Claim, ClaimResult

log = logging.getLogger("clock")


def report(
    results: Iterable[ClaimResult], claimed_at: float, job_id: Callable[[Claim], str]
) -> None:
    """Log a line for each of ``results`` that was recorded, all that are alike in one record.

    They were claimed at ``claimed_at``, UTC seconds since 1970; ``job_id`` returns the id of the
    job of a claim that fired.
    """
    alike: dict[tuple[Kind, tuple[object, ...]], list[ClaimResult]] = {}
    for result in results:
        if result.kind is not None:
            claim, event = result.claim, result.claim.event
            key = (result.kind, (*claim[1:], event.zone.name, event.job.queue))
            alike.setdefault(key, []).append(result)
    # What did not fire goes before what did.
    for kind, group in sorted(
        ((key[0], group) for key, group in alike.items()), key=lambda item: item[0].is_enqueued
    ):
        own = [
            {
                "event": result.claim.event.name,
                "job": job_id(result.claim) if kind.is_enqueued else None,
            }
            for result in group
        ]
        extra = {"fields": _shared(group[0].claim, kind, claimed_at), "each": own}
        is_warning = kind.group is Group.MISSED or kind is Kind.FIRED_PAST_STUCK
        log.log(logging.WARNING if is_warning else logging.INFO, kind.message, extra=extra)


def _shared(claim: Claim, kind: Kind, claimed_at: float) -> dict[str, object]:
    """The fields of a decision, and of all that are like it."""
    event, count, fires = claim.event, claim.occurrences, kind.is_enqueued
    return {
        "event": None,
        "scheduled_at": event.local(claim.scheduled),
        "lateness": round(claimed_at - claim.scheduled - claim.delay, 3) if fires else None,
        "reason": kind.reason,
        "first": event.local(claim.first) if claim.first is not None and count > 1 else None,
        "count": count if count > 1 else None,
        "queue": event.job.queue if fires else None,
        "job": None,
    }
