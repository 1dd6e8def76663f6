"""The rows that people edit over the API: put, changed, removed, and tried out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clock.errors import NotEditableError, RowError, UnknownEventError
from clock.jobs.editing import Editor, details
from clock.ledger.descriptions import read_with_rows
from clock.ledger.stored import StoredRow
from clock.observe import objects
from clock.observe.preview import preview
from clock.schedule.event import Event
from clock.schedule.option import Schema
from clock.schedule.options import ROW_OPTIONS
from clock.web.api.events import NAMED, OCCURRENCE, TAG
from clock.web.api.operation import Call, Operation, Reply
from clock.web.problems import ProblemError

_HIDDEN = ("args", "kwargs")
"""Words that are left out where the arguments of jobs are not shown."""


def _row(call: Call) -> Reply:
    row = _stored(call, Editor(call.connection, call.context.app))
    return Reply(status=200, body=_row_object(call, row), etag=_etag(row.version))


def _put(call: Call) -> Reply:
    return _write(call, {**call.body, "name": call.path["name"]}, _expected(call))


def _patch(call: Call) -> Reply:
    editor, expected = Editor(call.connection, call.context.app), _expected(call)
    before = _stored(call, editor)
    row = {**before.row, **call.body}
    # A change that somebody made since it was read must not be lost.
    seen = before.version if expected is None else expected
    return _write(call, row, seen, before.source)


def _write(
    call: Call, row: Mapping[str, Any], expected: int | None, source: str | None = None
) -> Reply:
    editor = Editor(call.connection, call.context.app)
    event = editor.check(row, source or call.query.get("source"), call.now)
    with call.audited("put", event.name) as change:
        stored = editor.stored_row(row, event.source, call.actor.name, call.now)
        before = editor.rows.put(stored, expected=expected)
        change.before = None if before is None else details(before.row)
        change.after = details(stored.row)
    version = 1 if before is None else before.version + 1
    return Reply(
        status=201 if before is None else 200,
        body={"version": version, "preview": _preview_object(event, call.now)},
        etag=_etag(version),
    )


def _remove(call: Call) -> Mapping[str, Any]:
    editor, expected = Editor(call.connection, call.context.app), _expected(call)
    row = _stored(call, editor)
    with call.audited("remove", row.name) as change:
        before = editor.rows.remove(row.name, row.source, call.now, expected=expected)
        change.before = None if before is None else details(before.row)
    return {"removed": before is not None}


def _preview(call: Call) -> Mapping[str, Any]:
    editor = Editor(call.connection, call.context.app)
    try:
        event = editor.check(call.body, call.query.get("source"), call.now)
    except RowError as error:
        return {"preview": None, "mistake": {"field": error.field, "message": error.message}}
    return {"preview": _preview_object(event, call.now), "mistake": None}


def _stored(call: Call, editor: Editor) -> StoredRow:
    """The row in the path. Raises UnknownEventError, and NotEditableError for another event."""
    name = call.path["name"]
    try:
        return editor.row(name)
    except UnknownEventError:
        known = read_with_rows(call.connection, call.context.app).get(name)
        if known is None or known.removed is not None:
            raise
    owner = f"the source {known.source!r}" if known.source else f"{known.path}:{known.line}"
    raise NotEditableError("name", f"{name!r} is an event of {owner}, and no stored row")


def _expected(call: Call) -> int | None:
    """The version that ``If-Match`` demands, None for any. Raises HTTPException."""
    if call.if_match is None:
        return None
    version = re.fullmatch(r'(?:W/)?"([1-9][0-9]{0,14})"', call.if_match)
    if version is None:
        detail = f"the If-Match {call.if_match[:50]!r} is not the ETag of a row"
        raise ProblemError("invalid-request", detail)
    return int(version[1])


def _etag(version: int) -> str:
    return f'"{version}"'


def _row_object(call: Call, row: StoredRow) -> dict[str, Any]:
    is_open = call.context.access.arguments
    words = {word: value for word, value in row.row.items() if is_open or word not in _HIDDEN}
    return objects.filled(ROW, row, row=words, changed_at=row.at, changed_by=row.by)


def _preview_object(event: Event, now: float) -> dict[str, Any]:
    shown = preview(event, now)
    upcoming = [
        objects.filled(OCCURRENCE, occurrence, scheduled_at=occurrence.at)
        for occurrence in shown.upcoming
    ]
    return objects.filled(PREVIEW, shown, upcoming=upcoming)


ROW = objects.of(
    name=objects.TEXT, source=objects.TEXT, version=objects.COUNT, row={"type": "object"},
    changed_by=objects.TEXT, changed_at=objects.INSTANT,
)  # fmt: skip
PREVIEW = objects.of(words=objects.TEXT, zone=objects.TEXT, upcoming=objects.listed(OCCURRENCE))
MISTAKE = objects.of(
    field={**objects.TEXT, "description": "The word of the row; empty where it is none."},
    message=objects.TEXT,
)

_WORDS: Mapping[str, Schema] = {
    "every": {"description": "The period, as in a schedule file."},
    "once": {"description": "One local time, such as 2027-01-04T09:00, in place of a period."},
    "task": {"description": "The dotted name of the function to run."},
    **{
        word: {"description": option.help.replace("``", "")}
        for word, option in ROW_OPTIONS.items()
        if word != "name"
    },
}
_BODY: Schema = {"type": "object", "properties": _WORDS, "additionalProperties": False}
_IF_MATCH = {
    "If-Match": {
        "type": "string", "pattern": '^"[1-9][0-9]{0,14}"$',
        "description": "The ETag of the row, its version: with another the response is 412.",
    }
}  # fmt: skip
_SOURCE: Mapping[str, Schema] = {
    "source": {
        "type": "string", "minLength": 1, "maxLength": 200,
        "description": "The source, where several are stored().",
    }
}  # fmt: skip
_WRITTEN = objects.of(version=objects.COUNT, preview=PREVIEW)

OPERATIONS = (
    Operation(
        id="preview_event",
        method="POST", path="/events/preview", tag=TAG, does=_preview, errors=(409,),
        summary="When a row would fire, or its mistake; nothing is stored",
        parameters=_SOURCE,
        body={**_BODY, "properties": {"name": objects.TEXT, **_WORDS}},
        body_is_required=True,
        gives=objects.of(preview=objects.maybe(PREVIEW), mistake=objects.maybe(MISTAKE)),
    ),
    Operation(
        id="get_event_row",
        method="GET", path=f"{NAMED}/row", tag=TAG, does=_row, errors=(404, 409),
        summary="The stored row of an event; its ETag is its version",
        gives=ROW,
    ),
    Operation(
        id="put_event",
        method="PUT", path=NAMED, tag=TAG, does=_put, statuses=(200, 201), errors=(404, 409, 412),
        summary="Create or replace the stored row of an event",
        parameters=_SOURCE, headers=_IF_MATCH, body=_BODY, body_is_required=True,
        gives=_WRITTEN,
    ),
    Operation(
        id="change_event",
        method="PATCH", path=NAMED, tag=TAG, does=_patch, errors=(404, 409, 412),
        summary="Change some words of the stored row of an event; null removes a word",
        headers=_IF_MATCH, body=_BODY, body_is_required=True,
        gives=_WRITTEN,
    ),
    Operation(
        id="remove_event",
        method="DELETE", path=NAMED, tag=TAG, does=_remove, errors=(404, 409, 412),
        summary="Remove the stored row of an event, which fires no more, at once",
        headers=_IF_MATCH,
        gives=objects.of(removed=objects.FLAG),
    ),
)  # fmt: skip
