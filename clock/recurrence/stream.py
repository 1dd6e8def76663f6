"""A stream: instants from any iterable, even an endless one, read on demand."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, cast

from clock.errors import RecurrenceError, describe_error
from clock.inside import is_inside_the_clock
from clock.recurrence.dates import function_name
from clock.recurrence.rule import Given
from clock.recurrence.tags import Tags
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import BEGINNING, END, Zone

KEPT = 10_000
"""The newest instants read that are kept at least; at most twice as many are."""

READ_AT_ONCE = 1_000_000
"""The most items read for one call, which then fails; the next call goes on."""

POLITE = 200
"""Items that a clock reads without a pause. It reads beside its loop, and Python runs one thread at
a time: a long past would delay everything else."""

BREATH = 0.001
"""Seconds of the pause after them."""


class Tape:
    """The items of an iterable as ascending UTC seconds, of which the newest are kept.

    ``open_`` returns the items from the beginning; with ``again`` it can be called a second time,
    so that items no longer kept can be read again.
    """

    def __init__(self, open_: Callable[[], Iterable[object]], name: str, *, again: bool) -> None:
        self.name = name
        self._open, self._again = open_, again
        self._lock = threading.Lock()
        self._rewind()

    def _rewind(self) -> None:
        self._items: Iterator[object] | None = None
        self._kept: list[int] = []
        self._number = 0
        self._forgotten = BEGINNING - 1
        self._wrong: RecurrenceError | None = None

    def next(self, after: int) -> int | None:
        """The first instant later than ``after``, or None; RecurrenceError at a wrong item."""
        with self._lock:
            if after < self._forgotten or (self._wrong and self._again):
                self._start_again(after)
            for number in range(1, READ_AT_ONCE + 1):
                if number % POLITE == 0 and is_inside_the_clock():
                    time.sleep(BREATH)
                position = bisect_right(self._kept, after)
                if position < len(self._kept):
                    return self._kept[position]
                if not self._read():
                    return None
        last = datetime.fromtimestamp(self._kept[-1], UTC)
        raise RecurrenceError(
            f"{self.name}: {READ_AT_ONCE} items were read, and they only reach {last}"
        )

    def _start_again(self, after: int) -> None:
        if not self._again:
            first = datetime.fromtimestamp(self._forgotten, UTC)
            raise RecurrenceError(
                f"{self.name}: the items up to {first} are no longer kept; "
                "give times(...) a function, which can be called again"
            )
        self._rewind()

    def _read(self) -> bool:
        if self._wrong:
            raise self._wrong
        try:
            if self._items is None:
                self._items = iter(self._open())
            self._keep(next(self._items))
        except StopIteration:
            return False
        except RecurrenceError as error:
            self._wrong = error
            raise
        except BaseException as error:  # a user's iterable may raise anything, SystemExit too
            # Kept, for a generator that has raised only says that it has ended.
            self._wrong = RecurrenceError(f"{self.name} failed: {describe_error(error)}")
            if isinstance(error, KeyboardInterrupt):
                raise
            raise self._wrong from error
        return True

    def _keep(self, item: object) -> None:
        self._number += 1
        instant, last = self._seconds(item), self._kept[-1] if self._kept else BEGINNING
        if instant < last:
            raise RecurrenceError(
                f"{self.name}: item {self._number}, {item}, is earlier than the one before it; "
                "the items must ascend, so sort them"
            )
        if instant > last and instant < END:
            self._kept.append(instant)
        if len(self._kept) > 2 * KEPT:
            self._forgotten = self._kept[KEPT - 1]
            del self._kept[:KEPT]

    def _seconds(self, item: object) -> int:
        if not isinstance(item, datetime):
            raise RecurrenceError(f"{self.name}: item {self._number}, {item!r}, is not a datetime")
        if item.utcoffset() is None:
            raise RecurrenceError(
                f"{self.name}: item {self._number}, {item}, has no zone; "
                "write aware datetimes, as datetime(2026, 1, 31, tzinfo=UTC)"
            )
        return math.floor(item.timestamp())


@dataclass(frozen=True, slots=True)
class Stream:
    """Fires at the instants of ``tape``. ``name`` stands for it: a stream has no text."""

    tags: ClassVar = Tags("Stream", name="name")

    name: str
    tape: Tape = field(repr=False)

    def next(self, after: int) -> int | None:
        """Raises RecurrenceError for an item that is naive, no datetime or out of order, for one
        question that needs more than ``READ_AT_ONCE`` items, and for what is forgotten.
        """
        return self.tape.next(after)

    def is_moved(self, instant: int) -> bool:
        """Never: a stream gives instants, not local times."""
        return False


@dataclass(frozen=True, slots=True)
class TimesRule(Given):
    """``times(...)``: the instants of an iterable, whatever the zone."""

    word: ClassVar[str] = "times"

    stream: Stream

    def recurrence(self, zone: Zone, gap: Gap, fold: Fold) -> Stream:
        return self.stream

    def __str__(self) -> str:
        return self.stream.name


def times(source: Iterable[datetime] | Callable[[], Iterable[datetime]]) -> TimesRule:
    """A period of given instants: aware datetimes in order, from an iterable or a function of none.

    Fractions of a second are cut off. A list is checked as a whole here, else the first item alone;
    the rest is read, and checked, as far as it is asked for. Only a function, or an iterable that
    begins anew for each ``for``, can be asked about times long past. Raises RecurrenceError.
    """
    tape = _tape(source)
    # A list is checked as a whole; of what may be endless, only the first item.
    if isinstance(source, Sequence):
        tape.next(END)
    if tape.next(BEGINNING - 1) is None:
        raise RecurrenceError(f"{tape.name} has no times, so it never fires")
    return TimesRule(Stream(tape.name, tape))


def _tape(source: object) -> Tape:
    if isinstance(source, str | bytes) or not (callable(source) or isinstance(source, Iterable)):
        raise RecurrenceError(
            f"times({source!r}): write an iterable of datetimes, or a function that returns one"
        )
    if not isinstance(source, Iterable):
        return Tape(
            cast("Callable[[], Iterable[object]]", source),
            f"times {function_name(source)}",
            again=True,
        )
    if isinstance(source, Iterator):
        name = getattr(source, "__qualname__", type(source).__qualname__)
        return Tape(lambda: source, f"times {name}", again=False)
    if isinstance(source, Sequence):
        return Tape(lambda: source, f"times {len(source)} listed {_digest(source)}", again=True)
    return Tape(lambda: source, f"times {type(source).__qualname__}", again=True)


def _digest(items: Sequence[object]) -> str:
    """Eight hexadecimal digits that change when one of the instants does."""
    aware = (isinstance(item, datetime) and item.utcoffset() is not None for item in items)
    spelled = (
        str(math.floor(cast("datetime", item).timestamp()) if is_aware else item)
        for item, is_aware in zip(items, aware, strict=True)
    )
    return hashlib.blake2b(" ".join(spelled).encode(), digest_size=4).hexdigest()
