"""One field of a cron expression: which numbers and names it may hold, and what its words mean.

croniter reads the plain notation (names, ranges, steps, lists); what may be written at all is
decided here, so that the answer and the message are the same under every croniter.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clock.errors import RecurrenceError
from clock.recurrence.at import article

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NEAREST = "'W' goes with one day of the month, as in '15W', or with the last, 'LW'"
_NUMBER = "[0-9]{1,9}"
_TERM = re.compile(
    rf"(?P<from>\*|[a-z]+|{_NUMBER})(?:-(?P<to>[a-z]+|{_NUMBER}))?(?:/(?P<step>{_NUMBER}))?"
)


class Field(NamedTuple):
    """A field by its name, its lowest and highest number, and the names for them."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, word: str, text: str) -> int:
        """The number that one word stands for. Raises RecurrenceError, quoting ``text``."""
        if word in self.names:
            return self.names.index(word) + (1 if self.low == 1 else 0)
        if not word.isdecimal():
            known = f", or a name like {self.names[1]!r}" if self.names else ""
            if word[:3] in self.names:
                known = f" or {word[:3]!r}"
            if word.endswith("w") and not self.names:
                known = f"; {_NEAREST}"
            raise cron_error(text, f"{word!r} is not {article(self.name)}; write a number{known}")
        number = int(word)
        if not self.low <= number <= self.high:
            raise cron_error(
                text,
                f"{word!r} is out of range; {article(self.name)} is from {self.low} to {self.high}",
            )
        return number


def plain_values(word: str, field: Field, text: str) -> tuple[int, ...]:
    """The values of a field in plain notation, ascending. Raises RecurrenceError."""
    for term in word.split(","):
        _check(term, field, text)
    star = tuple(range(field.low, field.high + 1))
    if "*" in word.split(","):
        return star
    position = 5 if field is SECOND else FIELDS.index(field)
    asked = ["*"] * (6 if field is SECOND else 5)
    asked[position] = word
    # Imported here: a file without cron notation does not wait for it.
    from croniter import croniter

    read = croniter.expand(" ".join(asked))[0][position]
    return star if "*" in read else tuple(sorted(int(value) for value in read))


def _check(term: str, field: Field, text: str) -> None:
    match = _TERM.fullmatch(term)
    if not match:
        raise cron_error(text, f"{term!r} cannot be read as {article(field.name)}{_hint(term)}")
    first, last, step = match["from"], match["to"], match["step"]
    low = field.low if first == "*" else field.number(first, text)
    high = field.high if last is None else field.number(last, text)
    if first == "*" and last is not None:
        raise cron_error(
            text, f"{term!r} is a range that begins with a star; write one or the other"
        )
    if last is not None and low > high:
        _check_wrap(term, field, low, high, text)
    if step is None:
        return
    if first != "*" and last is None:
        raise cron_error(
            text,
            f"a step goes with a star or a range; write '{first}-{field.high}/{step}' for {term!r}",
        )
    if not 1 <= int(step) <= field.high - field.low + 1:
        raise cron_error(text, f"a step of {step} in {term!r} does not fit {article(field.name)}")


def _check_wrap(term: str, field: Field, low: int, high: int, text: str) -> None:
    whole = 7 if field.names is _WEEKDAYS else field.high - field.low + 1
    covered = (high - low) % whole + 1
    # Sunday is 0 but ends a week as often as it begins one: 'tue-sun' does not wrap.
    if covered * 4 > whole * 3 and not (whole == 7 and high == 0):
        first, _, last = term.partition("/")[0].partition("-")
        raise cron_error(
            text,
            f"{term!r} wraps round to {covered} of {whole}; "
            f"write '{last}-{first}' if that is meant, or '*'",
        )


def cron_error(text: str, message: str) -> RecurrenceError:
    """The error of the expression ``text``, which it quotes."""
    return RecurrenceError(f"cron({text!r}): {message}")


def _hint(term: str) -> str:
    if term.endswith("w"):
        return f"; {_NEAREST}"
    if "?" in term:
        return "; '?' stands alone, for a day of the month or a weekday"
    return "; write numbers, '*', ranges, steps and lists, as in '*/15' or '9-17'"


SECOND = Field("second", 0, 59)
FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, _MONTHS),
    Field("weekday", 0, 7, _WEEKDAYS),
)
