"""Cron notation as croniter reads it, in the notation of this clock."""

from __future__ import annotations

import re

from clock.importing.literal import literal
from clock.recurrence.cron import parse_cron
from clock.recurrence.cron_field import FIELDS

_DAY, _WEEKDAY = 2, 4
_LAST = {_DAY: "31", _WEEKDAY: "6"}


def from_croniter(text: str) -> str:
    """The period as Python source. Raises ValueError where croniter's text has no counterpart.

    croniter joins the two days by "or" whenever both restrict something, also where one begins with
    ``*``; reads ``5/15`` as ``5-59/15`` and ``L5`` as the last Friday; and takes seconds last.
    """
    words = text.lower().split()
    if len(words) > 6:
        raise ValueError(f"{text!r} has a field for the year, which has no counterpart; see until=")
    if len(words) < 5:
        parse_cron(text)
        return literal(text)
    words = with_ends(words)
    if words[_DAY] not in "*?" and words[_WEEKDAY] not in "*?":
        if "#" in words[_WEEKDAY] or re.search(r"(^|\d)l(?![a-z])", " ".join(words[2:5:2])):
            raise ValueError(f"{text!r}: croniter asks for both days there, not for either of them")
        for index in (_DAY, _WEEKDAY):
            first = FIELDS[index].low
            words[index] = re.sub(r"(^|,)\*/", rf"\g<1>{first}-{_LAST[index]}/", words[index])
    line = " ".join(words)
    if len(words) == 5:
        parse_cron(line)
        return literal(line)
    parse_cron(line, "last")
    return f'cron({literal(line)}, seconds="last")'


def with_ends(words: list[str]) -> list[str]:
    """The fields with ``5-59/15`` for ``5/15``, ``5l`` for ``l5``, and one star for all values."""
    return [_whole(_with_end(word, index)) for index, word in enumerate(words)]


def _with_end(word: str, index: int) -> str:
    high = 59 if index == 5 else 6 if index == _WEEKDAY else FIELDS[index].high
    word = re.sub(r"(^|,)(\w+)/", rf"\g<1>\g<2>-{high}/", word)
    return re.sub(r"(^|,)l([0-7])(?=,|$)", r"\g<1>\g<2>l", word) if index == _WEEKDAY else word


def _whole(word: str) -> str:
    """A field that restricts nothing as one star, as croniter takes it."""
    return "*" if {"*", "*/1"} & set(word.split(",")) else word
