"""Outcomes that a task raises, and those that its exceptions are mapped to.

    Outcome
    ├── Retry    not done; to be run again
    ├── Abort    failed, and no retry would help
    └── Skip     there was nothing to do

``clock.worker.Worker`` acts on them. To RQ's own worker they are exceptions as any other: the job
fails, and is tried again as its ``retry=`` says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from clock.recurrence.duration import Duration, parse_duration


class Outcome(Exception):
    """The root of the outcomes that a task raises."""


class Retry(Outcome):
    """Not done: run the job again, ``in_`` from now.

    ``in_`` is a duration (seconds, ``"5m"``, a timedelta; 0 for at once), or None for what
    the job's own ``retry=`` says, which is at once where that says nothing. It is kept in whole
    seconds. Raises ValueError for what is not a duration.
    """

    def __init__(self, *, in_: Duration | None = None, reason: str = "") -> None:
        self.in_ = None if in_ is None else parse_duration(in_)
        self.reason = reason
        super().__init__(reason or "to be run again")

    def __reduce__(self) -> tuple[Any, ...]:
        return _retry, (self.in_, self.reason)


class Abort(Outcome):
    """Failed for ``reason``, and not to be tried again, whatever retries are left."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Skip(Outcome):
    """There was nothing to do. The job ends as skipped, with ``value`` as its result."""

    def __init__(self, value: Any = None) -> None:
        self.value = value
        super().__init__(value)

    def __str__(self) -> str:
        return "skipped" if self.value is None else f"skipped: {self.value}"


Meaning = Outcome | type[Outcome]
"""The meaning of an exception: an outcome, or a class of them that takes it as the reason."""

Table = Mapping[type[BaseException] | str, Meaning]
"""The meanings of a task's exceptions, by class or by its dotted name."""


def meaning_of(error: BaseException, table: Table) -> Outcome | None:
    """The outcome that ``error`` means for the job of the task that ``table`` belongs to.

    An Outcome says it itself. Else the nearest class of the error that the table names decides, as
    ``except`` clauses from the narrowest to the widest would; where none is named, None: a failure.
    A Retry or Abort of the table that gives no reason is given the error as one.
    """
    if isinstance(error, Outcome):
        return error
    named = {_class_of(key): meaning for key, meaning in table.items()}
    for class_ in type(error).__mro__:
        for key in (class_, f"{class_.__module__}.{class_.__qualname__}"):
            if key in named:
                return _shown(named[key], error)
    return None


def check_table(table: Mapping[Any, Any]) -> None:
    """Raise ValueError, in one sentence, for a table that ``meaning_of`` could not use.

    A dotted name is taken as it is: its module may be one that only the task imports.
    """
    for key, meaning in table.items():
        is_error = isinstance(key, type) and issubclass(key, BaseException)
        if not is_error and not (isinstance(key, str) and key):
            raise ValueError(f"{key!r} is neither an exception class nor the dotted name of one")
        kind = meaning if isinstance(meaning, type) else type(meaning)
        if kind not in {Retry, Abort, Skip}:
            raise ValueError(f"{meaning!r} is none of Retry, Abort, Skip, nor one made of them")


def _class_of(key: type[BaseException] | str) -> type | str:
    """The class that a key of a table names, or the name of one that is not imported from there.

    Nothing is imported here: the class of an error that was raised has been.
    """
    if not isinstance(key, str):
        return key
    module, _, name = key.rpartition(".")
    class_ = getattr(sys.modules.get(module or "builtins"), name, key)
    return class_ if isinstance(class_, type) else key


def _shown(meaning: Meaning, error: BaseException) -> Outcome:
    reason = f"{type(error).__name__}: {error}"
    if isinstance(meaning, Skip):
        return Skip(meaning.value)
    if isinstance(meaning, Retry):
        return Retry(in_=meaning.in_, reason=meaning.reason or reason)
    if isinstance(meaning, Abort):
        return Abort(meaning.reason or reason)
    if meaning is Skip:
        return Skip()
    return Abort(reason) if meaning is Abort else Retry(reason=reason)


def _retry(in_: int | None, reason: str) -> Retry:
    return Retry(in_=in_, reason=reason)
