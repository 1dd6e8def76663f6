"""Instants as a page shows them: relative to now, in the event's zone, in UTC.

The script adds the time in the zone of the browser, which only the browser knows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from markupsafe import Markup

from clock.observe.formatting import span, utc
from clock.recurrence.zone import END, Zone


def relative(seconds: float) -> str:
    """How far an instant is from now, ``seconds`` ahead: ``in 2 h 5 min``, ``3 s ago``."""
    if abs(seconds) < 1:
        return "now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def exact(instant: float, zone: Zone) -> str:
    """An instant in ``zone``, with its offset: ``Sat 21 Nov 09:30 +01:00``; seconds only
    if they are not zero.
    """
    # A pause may end at the end of the calendar, where a zone's offset would exceed it.
    at = min(int(instant), END - 2 * 86_400)
    local = zone.local(at)
    return f"{local:%a %d %b} {_clock(local)} {_offset(zone.offset(at))}"


def duration(seconds: float | None) -> str:
    """A duration, rounded as people read it: ``0.8 ms``, ``4.2 s``, ``3 min 5 s``."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 60 else span(seconds)


def time_tag(instant: float | None, now: float) -> Markup:
    """An instant as a ``time`` element relative to now; the script updates it."""
    if instant is None:
        return Markup("")
    # Only digits and our own words; Markup.format would take most of the time of a page.
    text = f'<time class="ago" datetime="{utc(instant)}">{relative(instant - now)}</time>'
    return Markup(text)  # noqa: S704


@lru_cache(maxsize=4096)
def exact_tag(instant: float, zone: Zone) -> Markup:
    """An instant in ``zone`` and, if that differs, in UTC."""
    text = Markup('<time class="exact" datetime="{}">{}</time>').format(
        utc(instant), exact(instant, zone)
    )
    if zone.offset(int(instant)) == 0:
        return text
    return text + Markup(' <span class="utc">{}</span>').format(
        f"{_clock(datetime.fromtimestamp(int(instant), UTC))} UTC"
    )


def _clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _offset(seconds: int) -> str:
    if seconds == 0:
        return "UTC"
    sign, (hours, rest) = "+" if seconds > 0 else "-", divmod(abs(seconds), 3600)
    return f"{sign}{hours:02}:{rest // 60:02}"
