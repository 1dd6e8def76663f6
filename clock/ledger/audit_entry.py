"""An entry of the audit log, and how it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clock.ledger.values import instant, number, text

LONGEST = 500
"""Characters of a field of an entry; what is longer is cut."""

LONGEST_READ = 10_000
"""Characters of a field from which an entry is skipped as unreadable."""

Details = Mapping[str, str | int | float | bool | None]
"""What was there before an action, or after it."""


class Outcome(StrEnum):
    """How an action ended."""

    DONE = "done"
    FAILED = "failed"
    """It changed nothing; or, where the server was away, maybe."""
    REFUSED = "refused"
    """It was not tried, because of who asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: ``name`` is who signed in, or user and host in a shell; ``how`` is ``page``,
    ``api`` or ``shell``; ``source`` is the address of the client, or the host.
    """

    name: str
    how: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An action. ``at`` is UTC seconds since 1970, ``what`` a word such as ``pause``, ``on`` the
    name of an event, the id of a job and so on. ``before`` and ``after`` are what the action
    changed, None where nothing is known of it. ``reason`` says why it was not done. ``id`` is the
    entry's place in the log, empty until it is read.
    """

    at: float
    actor: Actor
    what: str
    on: str
    outcome: Outcome = Outcome.DONE
    reason: str = ""
    before: Details | None = None
    after: Details | None = None
    id: str = ""


def encode(entry: Entry) -> dict[Any, Any]:
    """The fields in which an entry is stored."""
    fields = {
        "at": f"{entry.at:.3f}",
        "by": short(entry.actor.name) or "unknown",
        "how": entry.actor.how,
        "source": short(entry.actor.source) or "unknown",
        "what": entry.what,
        "on": short(entry.on),
        "outcome": str(entry.outcome),
        "reason": short(entry.reason),
        "before": _json(entry.before),
        "after": _json(entry.after),
    }
    return {name: value for name, value in fields.items() if value}


def short(value: str) -> str:
    """``value`` as it is kept."""
    # Text from a request may contain a lone surrogate.
    return value[:LONGEST].encode(errors="replace").decode()


def _json(details: Details | None) -> str:
    if details is None:
        return ""
    kept = {
        name: short(value) if isinstance(value, str) else value for name, value in details.items()
    }
    return json.dumps(kept, ensure_ascii=False)


def decode(identifier: str, fields: Mapping[Any, Any]) -> Entry:
    """The entry that is stored as ``fields``; they may be anything. Raises ``READ_ERRORS``."""
    given = {text(name): text(value, LONGEST_READ) for name, value in fields.items()}
    return Entry(
        id=identifier,
        at=instant(given["at"]),
        actor=Actor(name=given["by"], how=given["how"], source=given["source"]),
        what=given["what"],
        on=given.get("on", ""),
        outcome=Outcome(given["outcome"]),
        reason=given.get("reason", ""),
        before=_details(given.get("before")),
        after=_details(given.get("after")),
    )


def _details(line: str | None) -> Details | None:
    if line is None:
        return None
    details = json.loads(line)
    if not isinstance(details, dict):
        raise ValueError("not an object")
    return {text(name): _value(value) for name, value in details.items()}


def _value(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value)
    as_float = number(value)
    return value if isinstance(value, int) else as_float
