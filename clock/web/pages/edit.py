"""Creating, changing and removing the rows that people edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from clock.errors import RowChangedError, UnknownSourceError
from clock.jobs.editing import Editor, details, source_of
from clock.ledger.descriptions import Description, read_with_rows
from clock.ledger.sources import SourceState, read_sources
from clock.ledger.stored import StoredRow
from clock.schedule.event import Event
from clock.schedule.options import ROW_OPTIONS
from clock.web.auditing import auditing
from clock.web.context import Context
from clock.web.pages.actions import field as required
from clock.web.pages.actions import finish
from clock.web.pages.attention_banner import AttentionBanner
from clock.web.pages.question import ask, is_sure
from clock.web.pages.rendering import context_of, may_act, render
from clock.web.pages.row_check import Checked, check_row
from clock.web.pages.row_fields import CHOICES, JSON_WORDS, MORE, UNITS, fields_of, read_fields

LONGEST_SHOWN = 20_000
"""Characters of a value that is offered to be edited: a form has 64 KiB."""

SUGGESTED = 200
"""Tasks that are suggested, of those that the source allows."""

_NONE = Checked(event=None, mistakes={}, preview=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody writes. ``stored`` is the row as it is, None for a new one; ``version`` the one
    that they have seen, 0 for a new row; ``changed`` is true where somebody else changed it since.
    """

    fields: Mapping[str, str]
    source: str | None = None
    stored: StoredRow | None = None
    version: int = 0
    checked: Checked = _NONE
    problem: str = ""
    changed: bool = False
    kept: Mapping[str, Any] = field(default_factory=dict)


def show_edit(request: Request) -> Response:
    """``GET /edit``: the form for the stored row ``event``, or for a new one. An event that is no
    stored row says where it is written.
    """
    context, name = context_of(request), request.query_params.get("event", "")
    editor = Editor(context.connection, context.app)
    stored = editor.rows.find(name) if name else None
    if name and stored is None:
        known = read_with_rows(context.connection, context.app).get(name)
        if known is None:
            editor.row(name)
        return render(request, "edit.html", draft=None, description=known, name=name)
    if stored is None or not may_act(request):
        return _ask(request, Draft(fields={"how": "hand"}, stored=stored))
    kept = _kept(context, stored)
    shown = fields_of(_shown(context, stored))
    draft = Draft(fields=shown, source=stored.source, stored=stored, version=stored.version)
    checked = check_row(editor, stored.row, stored.source, context.now(), {})
    return _ask(request, replace(draft, checked=checked, kept=kept))


def save_event(request: Request) -> Response:
    """``POST /edit``: create or replace a stored row with the words of the form; with the field
    ``preview`` only check them and show when it would fire.
    """
    context, form, now = context_of(request), request.state.form, context_of(request).now()
    editor = Editor(context.connection, context.app)
    version = _version(form)
    name = form.get("name", "").strip()
    stored = editor.rows.find(name) if version else None
    kept = {} if stored is None else _kept(context, stored)
    written = read_fields(form, kept)
    draft = Draft(
        fields=form,
        source=form.get("source") or None,
        stored=stored,
        version=version,
        kept=kept,
    )
    try:
        checked = check_row(editor, written.row, draft.source, now, written.mistakes)
    except UnknownSourceError as error:
        return _ask(request, replace(draft, problem=str(error)), 400)
    preview = form.get("preview", "")
    if preview == "live":
        checked = replace(checked, mistakes=_of_filled(checked.mistakes, form))
    draft = replace(draft, checked=checked)
    if preview or checked.event is None:
        return _ask(request, draft, 200 if preview else 400)
    try:
        _save(request, editor, written.row, checked.event, version, now)
    except RowChangedError:
        return _changed(request, editor, draft, name)
    return finish(request, "put", name)


def remove_event(request: Request) -> Response:
    """``POST /remove``: remove the stored row ``event``, once its person is sure."""
    context, name = context_of(request), required(request, "event")
    editor, now = Editor(context.connection, context.app), context.now()
    row, form = editor.row(name), request.state.form
    if not is_sure(request):
        return ask(request, f"Remove {name}?", "Remove", "It fires no more, at once.")
    try:
        with auditing(request, "remove", name) as change:
            before = editor.rows.remove(name, row.source, now, expected=_version(form))
            change.before = None if before is None else details(before.row)
    except RowChangedError:
        row = editor.row(name)
        request.state.form = form | {"version": str(row.version)}
        words = ", ".join(
            f"{word} {text}" for word, text in fields_of(_shown(context, row)).items()
        )
        detail = f"{row.by} changed it meanwhile. It is now: {words}."
        return ask(request, f"Remove {name} nevertheless?", "Remove", detail)
    # Its own page is gone.
    request.state.form = form | {"back": "/"}
    return finish(request, "remove", name)


def _save(
    request: Request,
    editor: Editor,
    row: Mapping[str, Any],
    event: Event,
    version: int,
    now: float,
) -> None:
    by = request.state.person.name
    with auditing(request, "put", event.name) as change:
        stored = editor.stored_row(row, event.source, by, now)
        before = editor.rows.put(stored, expected=version)
        change.before = None if before is None else details(before.row)
        change.after = details(stored.row)


def _changed(request: Request, editor: Editor, draft: Draft, name: str) -> Response:
    """Ask again with what was typed, and what somebody else made of the row meanwhile."""
    stored = editor.rows.find(name)
    if stored is not None and not draft.version:
        line = f"there is a stored row {name!r} already; change it on its own page"
        return _ask(request, replace(draft, checked=_with(draft.checked, "name", line)), 409)
    version = 0 if stored is None else stored.version
    draft = replace(draft, stored=stored, version=version, changed=True)
    return _ask(request, draft, 409)


def _version(form: Mapping[str, str]) -> int:
    digits = form.get("version", "")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0


def _with(checked: Checked, word: str, line: str) -> Checked:
    return replace(checked, event=None, mistakes={**checked.mistakes, word: line})


def _of_filled(mistakes: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """The mistakes but for words that nothing was typed for yet."""
    empty = {word for word in ("name", "task", "once") if not form.get(word, "").strip()}
    if form.get("how") == "text" and not form.get("every", "").strip():
        empty.add("every")
    if form.get("how") == "once" and "once" in empty:
        empty.add("every")
    return {word: line for word, line in mistakes.items() if word not in empty}


def _shown(context: Context, stored: StoredRow) -> dict[str, Any]:
    kept = _kept(context, stored)
    return {word: value for word, value in stored.row.items() if word not in kept}


def _kept(context: Context, stored: StoredRow) -> dict[str, Any]:
    """The values that a form does not show: arguments where these are not shown, and long ones."""
    fields = fields_of(stored.row)
    return {
        word: value
        for word, value in stored.row.items()
        if (word in JSON_WORDS and not context.access.arguments)
        or len(fields.get(word, "")) > LONGEST_SHOWN
    }


def _ask(request: Request, draft: Draft, status: int = 200) -> Response:
    context = context_of(request)
    states = read_sources(context.connection, context.app).values()
    sources = sorted((state for state in states if state.is_stored), key=lambda state: state.name)
    is_live = request.state.form.get("preview") == "live"
    descriptions = {} if is_live else read_with_rows(context.connection, context.app)
    more = {"attention": AttentionBanner()} if is_live else {}
    return render(
        request,
        "edit.html",
        status,
        draft=draft,
        fields=draft.fields,
        mistakes=draft.checked.mistakes,
        sources=sources,
        tasks=_tasks(sources, descriptions),
        queues=[queue for state in sources for queue in state.queues or () if "*" not in queue],
        zone_of_file=sources[0].zone if sources else "",
        units=UNITS,
        choices=CHOICES,
        more=MORE,
        more_open=any(draft.fields.get(word) or word in draft.checked.mistakes for word in MORE),
        options=ROW_OPTIONS,
        json_words=JSON_WORDS,
        words=_compared(draft) if draft.changed else (),
        **more,
    )


def _tasks(sources: list[SourceState], known: Mapping[str, Description]) -> list[str]:
    """Tasks to suggest: those that the sources name, and known ones that they allow."""
    declarations = [source_of(state).declaration for state in sources]
    named = {task for state in sources for task in state.tasks if "*" not in task}
    used = {description.task for description in known.values()}
    allowed = {task for task in used if any(one.allows_task(task) for one in declarations)}
    return sorted(named | allowed)[:SUGGESTED]


def _compared(draft: Draft) -> list[tuple[str, str, str]]:
    """Each word that differs: how somebody else left it, and what is typed here."""
    stored = {} if draft.stored is None else dict(draft.stored.row)
    typed = dict(read_fields(draft.fields, draft.kept).row)
    hidden = draft.kept.keys()
    pairs = [(word, stored.get(word), typed.get(word)) for word in {**stored, **typed}]
    theirs, ours = fields_of(stored), fields_of(typed)
    return [
        (word, theirs.get(word, ""), ours.get(word, ""))
        for word, before, after in pairs
        if before != after and word not in hidden
    ]
