"""An event's record: what was decided last, how often what was decided, and the last decisions.

It is one line of text, ``<decided> <fired> <clock> <seven counters>|<history>``: the instants of
the last decided and the last fired occurrence, the token of the clock that decided, and the
decisions, newest first, each a letter and its instants (UTC seconds since 1970). A history is cut
at 900 characters, some forty decisions; the counters never decrease.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from clock.decision import Decision, Kind

COUNTERS = ("fired", "expired", "missed", "overlap", "paused", "unmet", "error")

_LINE = re.compile(r"(\d+) (\S+) (\S+) ((?:\d+ ){6}\d+)\|(.*)")
_ENTRY = re.compile(r"([a-z])(\d+)(?:-(\d+)\*(\d+))?(?:\+(-?\d+))?")


class Record(NamedTuple):
    """A record, read. ``fired`` is None where nothing ever fired; ``history`` begins with the
    newest.
    """

    decided: int
    fired: int | None
    clock: str
    counters: dict[str, int]
    history: tuple[Decision, ...]


def parse_record(line: bytes | str, newest: int | None = None) -> Record:
    """Read a record with its whole history, or with its ``newest`` decisions.

    Raises ValueError for a line that is none.
    """
    match = _LINE.fullmatch(line if isinstance(line, str) else line.decode())
    if match is None:
        raise ValueError(f"not a record: {line!r}")
    decided, fired, clock, counters, history = match.groups()
    return Record(
        decided=int(decided),
        fired=None if fired == "-" else int(fired),
        clock=clock,
        counters=dict(zip(COUNTERS, map(int, counters.split()), strict=True)),
        history=_history(history, newest),
    )


@lru_cache(maxsize=1024)
def _history(text: str, newest: int | None) -> tuple[Decision, ...]:
    # Most of what a page shows was there when it was shown last.
    entries = text.split() if newest is None else text.split(None, newest)[:newest]
    return tuple(map(_decision, entries))


def _decision(entry: str) -> Decision:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError(f"not a decision: {entry!r}")
    kind, first, last, count, lateness = match.groups()
    return Decision(
        Kind(kind),
        int(first),
        int(last or first),
        int(count or 1),
        None if lateness is None else int(lateness) / 1000,
    )
