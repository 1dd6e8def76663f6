"""The icon of a page, with the number of events and queues that need attention."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

MOST = 99

_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">\
<g fill="none" stroke="#2563c9" stroke-width="2" stroke-linecap="round">\
<circle cx="10" cy="10" r="8"/><path d="M10 5v5l3.5 2"/></g>{badge}</svg>"""

_BADGE = """<rect x="{x}" y="8" width="{width}" height="12" rx="4" fill="#c8261b"/>\
<text x="{middle}" y="17.3" fill="#fff" font-family="sans-serif" font-weight="700" \
font-size="10" text-anchor="middle">{count}</text>"""


def show_icon(request: Request) -> Response:
    """``GET /icon``: with a badge that says ``count``, unless that is 0."""
    text = request.query_params.get("count", "")
    count = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
    width = 9 if count < 10 else 15
    badge = ""
    if count:
        badge = _BADGE.format(
            x=20 - width, width=width, middle=20 - width / 2, count=min(count, MOST)
        )
    return Response(
        _ICON.format(badge=badge),
        headers={"cache-control": "max-age=86400"},
        media_type="image/svg+xml",
    )
