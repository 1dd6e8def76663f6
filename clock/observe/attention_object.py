"""What needs attention as a JSON object, with its schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clock.observe import objects
from clock.observe.attention import Attention, AttentionKind

LISTED = 100
"""Things that an object lists; it counts all."""

ATTENTION = objects.of(
    kind={"type": "string", "enum": [*map(str, AttentionKind)]},
    name={**objects.TEXT, "description": "Of the event, or of the queue without a worker."},
    since=objects.MAYBE_INSTANT,
    line={**objects.TEXT, "description": "For a person."},
    job={**objects.MAYBE_TEXT, "description": "The job of the run that failed."},
)
ALL_ATTENTION = objects.of(count=objects.COUNT, items=objects.listed(ATTENTION))
STATUS = objects.of(**objects.STATUS["properties"], attention=ALL_ATTENTION)
"""The status of an application, with what needs attention."""


def attention_object(items: Sequence[Attention]) -> dict[str, Any]:
    """The number of ``items``, and the most urgent ones."""
    return {
        "count": len(items),
        "items": [
            objects.filled(ATTENTION, item, job=None if item.run is None else item.run.job)
            for item in items[:LISTED]
        ],
    }
