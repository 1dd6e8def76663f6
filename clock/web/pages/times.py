"""Instants as a page shows them: relative to now, and on the clock of the chosen zone.

The other zones are in the title of an instant; the script adds the reader's own, which only the
browser knows.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from clock.observe.formatting import span, utc
from clock.recurrence.zone import END, Zone, zone
from clock.web.pages.zone_choice import ZoneChoice


def relative(seconds: float) -> str:
    """How far an instant is from now, ``seconds`` ahead: ``in 2 h 5 min``, ``3 s ago``."""
    if abs(seconds) < 1:
        return "now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def exact(instant: float, zone: Zone, year: int | None = None) -> str:
    """An instant in ``zone``, with its offset: ``Sat 21 Nov 2026 09:30:00 +01:00``; without its
    year where that is ``year``.
    """
    # A pause may end at the end of the calendar, where a zone's offset would exceed it.
    at = min(int(instant), END - 2 * 86_400)
    local = zone.local(at)
    day = f"{local:%a %d %b}" if local.year == year else f"{local:%a %d %b} {local.year:04}"
    return f"{day} {local:%H:%M:%S} {_offset(zone.offset(at))}"


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


def exact_tag(instant: float, event_zone: Zone, choice: ZoneChoice, now: float) -> Markup:
    """An instant on the clock of the chosen zone; its title has ``event_zone`` and UTC."""
    shown = choice.of(event_zone)
    return _exact_tag(instant, event_zone, shown, shown.local(int(now)).year)


@lru_cache(maxsize=8192)
def _exact_tag(instant: float, event_zone: Zone, shown: Zone, year: int) -> Markup:
    return Markup('<time class="exact" datetime="{}" title="{}">{}</time>').format(
        utc(instant), in_zones(instant, event_zone), exact(instant, shown, year)
    )


@lru_cache(maxsize=8192)
def in_zones(instant: float, event_zone: Zone) -> str:
    """An instant in ``event_zone`` and in UTC, a line each."""
    return "\n".join(
        f"{exact(instant, other)} {other.name if other.name != 'UTC' else ''}".rstrip()
        for other in dict.fromkeys((event_zone, zone("UTC")))
    )


def moment_tag(instant: float, event_zone: Zone, choice: ZoneChoice, now: float) -> Markup:
    """An instant relative to now and on the clock of the chosen zone, with one title for both."""
    shown = choice.of(event_zone)
    head, tail = _moment_parts(instant, event_zone, shown, shown.local(int(now)).year)
    # Only digits and our own words, as in ``time_tag``.
    return Markup(f"{head}{relative(instant - now)}{tail}")  # noqa: S704


@lru_cache(maxsize=8192)
def _moment_parts(instant: float, event_zone: Zone, shown: Zone, year: int) -> tuple[str, str]:
    title = in_zones(instant, event_zone)
    head = Markup('<span class="moment" title="{}"><time class="ago" datetime="{}">').format(
        title, utc(instant)
    )
    tail = Markup('</time> <span class="exact">{}</span></span>').format(
        exact(instant, shown, year)
    )
    return head, tail


def _offset(seconds: int) -> str:
    if seconds == 0:
        return "UTC"
    sign, (hours, rest) = "+" if seconds > 0 else "-", divmod(abs(seconds), 3600)
    return f"{sign}{hours:02}:{rest // 60:02}"
