"""The page of the audit log."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Details
from clock.web.auditing import shown_entries
from clock.web.pages.rendering import context_of, render

ENTRIES = 100
"""Entries on a page."""


def show_audit(request: Request) -> Response:
    """``GET /audit``: what people did, the latest first; ``cursor`` is where a page begins."""
    context = context_of(request)
    cursor = request.query_params.get("cursor")
    page = read_audit(context.connection, context.app, ENTRIES, cursor)
    entries = shown_entries(context, page.entries)
    return render(
        request, "audit.html", page=page, entries=entries, cursor=cursor, words=details_words
    )


def details_words(details: Details | None) -> str:
    """What was before or after an action, in one line; empty values are left out."""
    known = details or {}
    return ", ".join(
        f"{name} {value}" for name, value in known.items() if value is not None and value != ""
    )
