"""The audit log in the API: who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clock.ledger.audit import read_audit
from clock.observe import objects
from clock.observe.audit import AUDIT, audit_object
from clock.web.api.operation import Call, Operation
from clock.web.api.schema import limit
from clock.web.auditing import shown_entries


def _audit(call: Call) -> Mapping[str, Any]:
    page = read_audit(
        call.connection, call.context.app, call.query["limit"], call.query.get("cursor")
    )
    entries = shown_entries(call.context, page.entries)
    return {"entries": [audit_object(entry) for entry in entries], "next": page.next}


OPERATIONS = (
    Operation(
        id="get_audit",
        method="GET", path="/audit", tag="audit", does=_audit,
        summary="What people did, the latest first",
        parameters={
            "limit": limit(500, 100),
            "cursor": {
                "type": "string", "minLength": 1, "maxLength": 50,
                "description": "The 'next' of the previous page.",
            },
        },
        gives=objects.of(entries=objects.listed(AUDIT), next=objects.MAYBE_TEXT),
    ),
)  # fmt: skip
