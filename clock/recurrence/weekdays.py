"""Weekdays in words: ``"monday"``, ``"fri"``, ``"tuesday-friday"``, ``"monday, thursday"``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from clock.errors import RecurrenceError
from clock.suggest import nearest

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT_WEEKDAYS = {name[:3]: number for number, name in enumerate(WEEKDAYS)}

_NUMBERS = SHORT_WEEKDAYS | {name: number for number, name in enumerate(WEEKDAYS)}
_SETS = {"weekday": (0, 1, 2, 3, 4), "weekend": (5, 6)}

WEEKDAY_WORDS = (*_SETS, *WEEKDAYS)
"""The words for one or several weekdays, without short names and ranges."""


def parse_weekdays(text: str) -> tuple[int, ...] | None:
    """The weekdays of a text, Monday 0, ascending; None where its first word is not a weekday.

    Names may be shortened to three letters and joined by commas; ``"fri-mon"`` is a range, which
    may pass the end of the week. Raises RecurrenceError where a later word is not a weekday.
    """
    numbers = set[int]()
    for part in text.lower().split(","):
        words = part.strip()
        first, dash, last = (word.strip() for word in words.partition("-"))
        if words in _SETS:
            numbers.update(_SETS[words])
        elif first in _NUMBERS and (not dash or last in _NUMBERS):
            begin = _NUMBERS[first]
            length = (_NUMBERS[last] - begin) % 7 if dash else 0
            numbers.update((begin + day) % 7 for day in range(length + 1))
        elif not numbers and first not in _NUMBERS:
            return None
        else:
            wrong = last if first in _NUMBERS else words
            raise RecurrenceError(f"{text!r}: {unknown_weekday(wrong)}")
    return tuple(sorted(numbers))


def unknown_weekday(word: object) -> str:
    """The message for a word that is not a weekday."""
    suggestion = nearest(word.lower(), WEEKDAYS) if isinstance(word, str) else None
    hint = f"did you mean {suggestion!r}?" if suggestion else "write one like 'monday'"
    return f"{word!r} is not a weekday; {hint}"


def spell_weekdays(numbers: Iterable[int]) -> str:
    """The tidy text of some weekdays, which ``parse_weekdays`` reads."""
    every = tuple(sorted(numbers))
    for word, numbers_of in _SETS.items():
        if every == numbers_of:
            return word
    parts = []
    for _, group in groupby(enumerate(every), lambda pair: pair[1] - pair[0]):
        run = [WEEKDAYS[number] for _, number in group]
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
    return ", ".join(parts)
