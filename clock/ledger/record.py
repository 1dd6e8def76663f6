"""An event's record: its last decided occurrence, its counters and its last decisions.

It is one line of text, ``<decided> <fired> <clock> <seven counters>|<history>``: the instants of
the last decided and the last fired occurrence, the token of the clock that decided, and the
decisions, newest first, each a letter and its instants (UTC seconds since 1970). A history is cut
at 900 characters, some forty decisions; the counters never decrease.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from clock.decision import COUNTERS, Decision, Kind
from clock.ledger.values import text
from clock.recurrence.zone import END

LONGEST = 10_000
"""Characters of a record that is read: it is at most about a kilobyte."""

_LINE = re.compile(r"([0-9]{1,12}) (-|[0-9]{1,12}) (\S+) ((?:[0-9]{1,15} ){6}[0-9]{1,15})\|(.*)")
_ENTRY = re.compile(r"([a-z])([0-9]{1,12})(?:-([0-9]{1,12})\*([0-9]{1,15}))?(?:\+(-?[0-9]{1,15}))?")


class Record(NamedTuple):
    """A parsed record. ``fired`` is None where nothing ever fired; ``history`` is newest first."""

    decided: int
    fired: int | None
    clock: str
    counters: dict[str, int]
    history: tuple[Decision, ...]


def parse_record(line: bytes | str, newest: int | None = None) -> Record:
    """Read a record with its whole history, or with its ``newest`` decisions.

    Raises ValueError for a line that is not a record.
    """
    match = _LINE.fullmatch(text(line, LONGEST))
    if match is None:
        raise ValueError("not a record")
    decided, fired, clock, counters, history = match.groups()
    return Record(
        decided=_instant(decided),
        fired=None if fired == "-" else _instant(fired),
        clock=clock,
        counters=dict(zip(COUNTERS, map(int, counters.split()), strict=True)),
        history=_history(history, newest),
    )


@lru_cache(maxsize=1024)
def _history(line: str, newest: int | None) -> tuple[Decision, ...]:
    # Most of what a page shows was there when it was shown last.
    entries = line.split() if newest is None else line.split(None, newest)[:newest]
    return tuple(map(_decision, entries))


def _decision(entry: str) -> Decision:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError("not a decision")
    kind, first, last, count, lateness = match.groups()
    return Decision(
        Kind(kind),
        _instant(first),
        _instant(last or first),
        int(count or 1),
        None if lateness is None else int(lateness) / 1000,
    )


def _instant(digits: str) -> int:
    instant = int(digits)
    if instant >= END:
        raise ValueError("not an instant")
    return instant
