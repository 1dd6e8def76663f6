"""A zone: which offset from UTC holds when.

A zone is a row of segments, each with one constant offset; a clock change is the seam between two.
Inside a segment local time is ``UTC + offset`` and nothing else, so every rule about clock changes
is a rule about seams. pytz knows the seams up to 2037; the offset after the last holds for ever.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache, lru_cache

import pytz

from clock.errors import RecurrenceError
from clock.suggest import nearest

BEGINNING = -62_135_596_800
"""0001-01-01T00:00:00Z in seconds since 1970: the first instant a ``datetime`` can hold."""

END = 253_402_300_800
"""10000-01-01T00:00:00Z in seconds since 1970: no instant from here on exists for this package."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A named zone as segments; get one from :func:`zone`, so that equal zones are one object.

    ``starts[i]`` is the first instant (UTC seconds since 1970) of segment ``i``, ``offsets[i]`` its
    offset in seconds east of UTC. Neighbouring segments always differ in their offset.
    """

    name: str
    starts: tuple[int, ...] = field(repr=False, compare=False)
    offsets: tuple[int, ...] = field(repr=False, compare=False)

    def segment(self, instant: int) -> int:
        """The index of the segment that ``instant`` (UTC seconds) lies in."""
        return max(bisect_right(self.starts, instant) - 1, 0)

    def offset(self, instant: int) -> int:
        """Seconds east of UTC at ``instant`` (UTC seconds)."""
        return self.offsets[self.segment(instant)]

    def local(self, instant: int) -> datetime:
        """``instant`` (UTC seconds) on the local clock: aware, with the offset then."""
        return datetime.fromtimestamp(instant, timezone(timedelta(seconds=self.offset(instant))))

    def is_repeated(self, instant: int) -> bool:
        """Whether the local time at ``instant`` (UTC seconds) is one that comes twice."""
        i = self.segment(instant)
        if i > 0:
            repeated = self.offsets[i - 1] - self.offsets[i]
            if instant < self.starts[i] + repeated:
                return True
        if i + 1 < len(self.starts):
            repeated = self.offsets[i] - self.offsets[i + 1]
            return instant >= self.starts[i + 1] - repeated
        return False

    def instant(self, local: int) -> int:
        """The first instant (UTC seconds) at or after which the local clock shows ``local``.

        ``local`` is seconds since 1970-01-01T00:00 on the local clock. A time that is skipped
        gives the first instant after the gap, one that comes twice its first pass.
        """
        for i, start in enumerate(self.starts):
            end = self.starts[i + 1] if i + 1 < len(self.starts) else END
            if local - self.offsets[i] < end:
                return max(local - self.offsets[i], start)
        return local - self.offsets[-1]


@lru_cache(maxsize=2048)
def zone(name: str) -> Zone:
    """The zone called ``name`` in the IANA database, as pytz has it.

    Raises RecurrenceError, with the nearest name, where there is none.
    """
    try:
        info = pytz.timezone(name)
    except (pytz.UnknownTimeZoneError, AttributeError, UnicodeError):
        raise RecurrenceError(_unknown(name)) from None
    return _zone(str(info.zone))


@cache
def _zone(name: str) -> Zone:
    """By the database's own spelling: pytz accepts any case, so callers have endless others."""
    info = pytz.timezone(name)
    # pytz keeps the seams in two attributes of its compiled zones and offers no public way to list
    # them; a zone without them (UTC, Etc/GMT+3) has one offset for ever.
    times: list[datetime] | None = getattr(info, "_utc_transition_times", None)
    if times is None:
        only = info.utcoffset(None)
        return Zone(name, (BEGINNING,), (0 if only is None else round(only.total_seconds()),))
    infos = getattr(info, "_transition_info")  # noqa: B009  # as above: not in the stubs
    starts, offsets = [BEGINNING], [round(infos[0][0].total_seconds())]
    for at, (offset, _dst, _abbreviation) in zip(times[1:], infos[1:], strict=True):
        seconds = round(offset.total_seconds())
        if seconds != offsets[-1]:
            starts.append(calendar.timegm(at.timetuple()))
            offsets.append(seconds)
    return Zone(name, tuple(starts), tuple(offsets))


_ABBREVIATIONS = {
    **dict.fromkeys(("pst", "pdt", "pt", "pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("mdt", "mt"), "America/Denver"),
    **dict.fromkeys(("cst", "cdt", "ct"), "America/Chicago"),
    **dict.fromkeys(("edt", "et", "eastern"), "America/New_York"),
    **dict.fromkeys(("cest", "mez", "mesz"), "Europe/Berlin"),
    "bst": "Europe/London", "ist": "Asia/Kolkata", "jst": "Asia/Tokyo", "kst": "Asia/Seoul",
    "sgt": "Asia/Singapore", "hkt": "Asia/Hong_Kong", "msk": "Europe/Moscow", "z": "UTC",
    "brt": "America/Sao_Paulo", **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
    **dict.fromkeys(("nzst", "nzdt"), "Pacific/Auckland"),
}  # fmt: skip
"""Abbreviations, which may mean several zones, and one that each means."""


def _unknown(name: str) -> str:
    if str(name).casefold() in _ABBREVIATIONS:
        meant = _ABBREVIATIONS[str(name).casefold()]
        return f"unknown zone {name!r}: an abbreviation is not a zone; write a place, as {meant!r}"
    by_folded = {known.casefold(): known for known in pytz.all_timezones}
    cities = {known.rpartition("/")[2].casefold(): known for known in pytz.common_timezones}
    folded = str(name).casefold()
    suggestion = nearest(folded, by_folded) or nearest(folded, cities)
    if suggestion is None:
        return f"unknown zone {name!r}; zones are written like 'Europe/Berlin'"
    best = by_folded.get(suggestion) or cities[suggestion]
    return f"unknown zone {name!r}; did you mean {best!r}?"
