"""Entries of the audit log as JSON objects, with their schema."""

from __future__ import annotations

from typing import Any

from clock.ledger.audit_entry import Entry, Outcome
from clock.observe.objects import INSTANT, TEXT, filled, of
from clock.schedule.option import Schema

_DETAILS: Schema = {"type": ["object", "null"]}

AUDIT = of(
    id=TEXT, at=INSTANT, by=TEXT, how=TEXT, source=TEXT, what=TEXT, on=TEXT,
    outcome={"type": "string", "enum": [*map(str, Outcome)]},
    reason=TEXT, before=_DETAILS, after=_DETAILS,
)  # fmt: skip


def audit_object(entry: Entry) -> dict[str, Any]:
    """An entry."""
    actor = entry.actor
    return filled(AUDIT, entry, at=entry.at, by=actor.name, how=actor.how, source=actor.source)
