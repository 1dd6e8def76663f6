"""Backfilling an event over the API: enqueueing past occurrences that have no job."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clock.instant import utc_text
from clock.ledger.backfill import Backfill, Standing
from clock.observe import objects
from clock.observe.backfill import BackfillPlan, plan_backfill
from clock.observe.reading import read_event
from clock.observe.status import EventStatus
from clock.web.api.events import NAMED, TAG
from clock.web.api.instant import INSTANT, read_instant
from clock.web.api.operation import Call, Operation

MOST = 1_000
"""Occurrences of one request."""


def _backfill(call: Call) -> Mapping[str, Any]:
    name, app = call.path["name"], call.context.app
    event = read_event(call.connection, app, name, call.now).event
    ledger = Backfill.of_ledger(call.connection, app=app, event=name)
    if call.body.get("dry_run", False):
        return _object(_plan(call, ledger, event), 0)
    with call.audited("backfill", name) as change:
        plan = _plan(call, ledger, event)
        instants = [candidate.scheduled for candidate in plan.to_enqueue]
        enqueued = ledger.push_all(instants, call.context.now).count(Standing.OPEN)
        span = {"from": utc_text(plan.first), "until": utc_text(plan.last)}
        change.after = {**span, "enqueued": enqueued}
    return _object(plan, enqueued)


def _plan(call: Call, ledger: Backfill, event: EventStatus) -> BackfillPlan:
    """Raises BackfillError, and HTTPException."""
    body = call.body
    first = math.ceil(read_instant("from", body["from"], 422))
    last = read_instant("until", body["until"], 422) if "until" in body else call.now
    return plan_backfill(ledger, event, first, math.floor(last), call.now, MOST)


def _object(plan: BackfillPlan, enqueued: int) -> Mapping[str, Any]:
    pairs = zip(plan.candidates, plan.standings, strict=True)
    return {
        "enqueued": enqueued,
        "occurrences": [
            {
                "scheduled_at": utc_text(candidate.scheduled),
                "was": None if candidate.was is None else candidate.was.name.lower(),
                "standing": standing,
            }
            for candidate, standing in pairs
        ],
    }


OCCURRENCE = objects.of(
    scheduled_at=objects.INSTANT,
    was={**objects.MAYBE_TEXT, "description": "What was decided, null where that is not known."},
    standing={
        "type": "string", "enum": [*map(str, Standing)],
        "description": "Where it stood before: an open one was enqueued, or would be.",
    },
)  # fmt: skip

OPERATIONS = (
    Operation(
        id="backfill_event",
        method="POST", path=f"{NAMED}/backfill", tag=TAG, does=_backfill, errors=(404, 409),
        summary="Enqueue, or only show, the occurrences of a span that have no job",
        body={
            "type": "object",
            "properties": {
                "from": {**INSTANT, "description": "The begin of the span, included."},
                "until": {**INSTANT, "description": "Its end, included; now, unless given."},
                "dry_run": {
                    "type": "boolean", "description": "Enqueue nothing, only show the occurrences.",
                },
            },
            "required": ["from"],
            "additionalProperties": False,
        },
        body_is_required=True,
        gives=objects.of(enqueued=objects.COUNT, occurrences=objects.listed(OCCURRENCE)),
    ),
)  # fmt: skip
