"""The jobs that a request means: those of a filter, or chosen ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from clock.jobs.requeue import MOST
from clock.observe.rq.listed_job import Filter
from clock.schedule.option import Schema
from clock.web.api.instant import read_instant

MOST_CHOSEN = 1_000
"""Jobs that a request may choose by their ids."""

EVERY_QUEUE = "*"

_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_INSTANT: Schema = {"type": "string", "format": "date-time", "minLength": 1, "maxLength": 50}

FILTER: Mapping[str, Schema] = {
    "queue": {**_NAME, "description": f"{EVERY_QUEUE!r}, or nothing, is all queues."},
    "event": _NAME,
    "task": _NAME,
    "error": {**_NAME, "description": "The class of the error, with or without its module."},
    "text": {**_NAME, "description": "Part of the error's line."},
    "group": {**_NAME, "description": "The 'id' of a group of errors."},
    "since": {**_INSTANT, "description": "They ended, or were last heard of, then or later."},
    "until": {**_INSTANT, "description": "They ended, or were last heard of, before."},
}
"""The fields of a filter, all of which must fit."""

IDS: Schema = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,250}$"},
    "minItems": 1,
    "maxItems": MOST_CHOSEN,
}

CHANGED: Schema = {
    "type": "object",
    "properties": {"ids": IDS, **FILTER},
    "additionalProperties": False,
    "description": "Either ids, or a filter of failed jobs with at least one condition; one call "
    f"looks at no more than {MOST}.",
}
"""The body of a request that changes jobs."""


def read_filter(given: Mapping[str, Any], status: int = 400) -> Filter:
    """The filter of the parameters of a request. Raises HTTPException with ``status``."""
    queue = given.get("queue")
    names = ("event", "task", "error", "text", "group")
    return Filter(
        **{name: given.get(name) for name in names},
        queue=None if queue == EVERY_QUEUE else queue,
        since=_instant("since", given, status),
        until=_instant("until", given, status),
    )


def read_chosen(body: Mapping[str, Any]) -> Sequence[str] | Filter:
    """The ids of the body, or its filter. Raises HTTPException."""
    if not body:
        names = ", ".join(FILTER)
        raise HTTPException(422, f"the body needs 'ids', or at least one of {names}")
    if "ids" not in body:
        return read_filter(body, 422)
    if len(body) > 1:
        raise HTTPException(422, "give only one of 'ids' and the fields of a filter")
    ids: Sequence[str] = body["ids"]
    return ids


def _instant(name: str, given: Mapping[str, Any], status: int) -> float | None:
    return read_instant(name, given[name], status) if name in given else None
