"""The schemas of the description by their names, of which generated clients make classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clock.observe import job_objects, objects
from clock.observe.attention_object import ATTENTION, STATUS
from clock.observe.audit import AUDIT
from clock.observe.explanation import EXPLANATION
from clock.schedule.option import Schema
from clock.web.api import backfill, enqueueing, events, pauses, rows

PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "The word of a row that is wrong."},
    },
    "required": ["type", "title", "status", "detail"],
}

NAMED: Mapping[str, Schema] = {
    "Attempt": job_objects.ATTEMPT,
    "Attention": ATTENTION,
    "AuditEntry": AUDIT,
    "BackfilledOccurrence": backfill.OCCURRENCE,
    "Clock": objects.CLOCK,
    "Conflict": objects.CONFLICT,
    "Decision": events.DECISION,
    "EnqueuedJob": enqueueing.ENQUEUED,
    "ErrorGroup": job_objects.ERROR_GROUP,
    "Event": objects.EVENT_AND_RUN,
    "Explanation": EXPLANATION,
    "Job": job_objects.JOB,
    "JobDetails": job_objects.DETAILS,
    "MinuteOfLoad": events.MINUTE,
    "NewJob": enqueueing.NEW_JOB,
    "Mistake": rows.MISTAKE,
    "Output": objects.OUTPUT,
    "Pause": objects.PAUSE,
    "PauseOfEvent": pauses.PAUSE_OF_EVENT,
    "Preview": rows.PREVIEW,
    "Problem": PROBLEM,
    "Queue": objects.QUEUE,
    "Row": rows.ROW,
    "Run": objects.RUN,
    "RunningJob": job_objects.RUNNING,
    "Status": STATUS,
    "Trend": objects.TREND,
    "TrendBucket": objects.BUCKET,
    "UpcomingOccurrence": events.OCCURRENCE,
    "Worker": objects.WORKER,
}
"""The shapes that several operations share."""


class Components:
    """The schemas that were named so far, ``schemas`` by their names."""

    def __init__(self) -> None:
        self._names = {_text(schema): name for name, schema in NAMED.items()}
        self.schemas: dict[str, Any] = {}
        for name, schema in NAMED.items():
            self.reference(schema, name)

    def reference(self, schema: Schema, name: str) -> dict[str, Any]:
        """A reference to ``schema``, which is called ``name`` unless it has a name."""
        known = self._names.setdefault(_text(schema), name)
        if known not in self.schemas:
            self.schemas[known] = self._with_references(schema)
        return {"$ref": f"#/components/schemas/{known}"}

    def _with_references(self, schema: Schema) -> dict[str, Any]:
        return {key: self._within(value) for key, value in schema.items()}

    def _within(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._within(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = self._names.get(_text(value))
        return self._with_references(value) if name is None else self.reference(value, name)


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)
