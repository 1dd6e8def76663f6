"""A question before what cannot be undone, for browsers without scripts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from clock.web.pages.rendering import render


def is_sure(request: Request) -> bool:
    """Whether the form of ``request`` says that its person was asked."""
    return bool(request.state.form.get("sure"))


def ask(request: Request, question: str, answer: str, detail: str = "") -> Response:
    """A page with ``question`` and the button ``answer``, which submits the same form again with
    the field ``sure``.
    """
    fields = {name: value for name, value in request.state.form.items() if name != "sure"}
    back = fields.get("back", "")
    return render(
        request,
        "question.html",
        question=question,
        answer=answer,
        detail=detail,
        fields=fields,
        origin=back if back.startswith("/") and not back.startswith("//") else "/",
    )
