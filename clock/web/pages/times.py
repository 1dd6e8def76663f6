"""Instants as a page shows them: how far away, on the event's clock, in UTC.

The reader's own clock is known to the reader's browser alone, whose script adds it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
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
    """An instant on the clock of ``zone``, with its offset: ``Sat 21 Nov 09:30 +01:00``; seconds
    are named where there are any.
    """
    # A pause may end where the calendar does; one zone more, and there is no such date.
    at = min(int(instant), END - 2 * 86_400)
    local = datetime.fromtimestamp(at, timezone(timedelta(seconds=zone.offset(at))))
    return f"{local:%a %d %b} {_clock(local)} {_offset(zone.offset(at))}"


def duration(seconds: float | None) -> str:
    """A length of time with the digits that matter: ``0.8 ms``, ``4.2 s``, ``3 min 5 s``."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 60 else span(seconds)


def time_tag(instant: float | None, now: float) -> Markup:
    """An instant as a ``time`` whose text is how far away it is; the script keeps it true."""
    if instant is None:
        return Markup("")
    # Digits and our own words; Markup.format would take most of the time a page takes.
    text = f'<time class="ago" datetime="{utc(instant)}">{relative(instant - now)}</time>'
    return Markup(text)  # noqa: S704


@lru_cache(maxsize=4096)
def exact_tag(instant: float, zone: Zone) -> Markup:
    """An instant exactly: in ``zone`` and, where that is another one, in UTC."""
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
