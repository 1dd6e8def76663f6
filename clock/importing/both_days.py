"""Cron notation of schedulers that ask for the date and the weekday, not for either of them."""

from __future__ import annotations

import re

from clock.importing.literal import literal
from clock.recurrence.cron import parse_cron

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def both_days(words: list[str]) -> tuple[str, dict[str, str]]:
    """The expression of five fields, and ``days=`` where both days restrict something, as source.

    Raises ValueError for a weekday of one week beside a date, which has no counterpart.
    """
    day, weekday = words[2], words[4]
    if day in {"*", "?"} or weekday in {"*", "?"}:
        return " ".join(words), {}
    if re.search(r"[#l]", re.sub("[a-z]{3}", "", weekday)):
        raise ValueError(f"{' '.join(words)!r} asks for a date and a weekday of one week at once")
    numbers = sorted(parse_cron(f"0 0 * * {weekday}").days.weekdays)
    days = {"days": literal([_WEEKDAYS[number] for number in numbers])} if numbers else {}
    return " ".join([*words[:4], "*"]), days
