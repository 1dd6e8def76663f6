"""Declarations: digests of a clock's events, by which two clocks are compared.

The declarations of a clock are 16 bytes for each event: a digest of its name and a digest of all
that decides when it fires and with which job. Their key is their own digest, so clocks that agree
share them. The paths of hosts and files are not part of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.schedule.event import Event

SIZE = 8
"""Bytes of a digest."""

_PLAIN = (str, bytes, int, float, bool, type(None), date, time, timedelta, Decimal, UUID)


class Declarer:
    """Makes the declarations of events, whose arguments are written with ``serializer``."""

    def __init__(self, serializer: str) -> None:
        self._serializer = serializer
        self._spelled: dict[int, tuple[object, str]] = {}

    def of(self, event: Event) -> bytes:
        """The declaration of one event."""
        policy = event.policy
        parts = (
            event.task,
            event.args,
            event.kwargs,
            event.identity(),
            event.zone.name,
            self._serializer,
            policy.catch_up,
            policy.within,
            policy.overlap,
            policy.stuck_after,
            policy.condition is not None,
            # Not where there is none, so that a clock of an earlier release agrees.
            *([event.jitter] if event.jitter else []),
        )
        return _digest(event.name) + _digest(_spell(parts) + self._shared(event.job))

    def _shared(self, value: object) -> str:
        # By identity: many events share their options, and keep them alive.
        if id(value) not in self._spelled:
            self._spelled[id(value)] = (value, _spell(value))
        return self._spelled[id(value)][1]


def digest_of(declarations: Iterable[bytes]) -> tuple[str, bytes]:
    """The digest of all ``declarations`` of a clock, and the declarations in one string."""
    text = b"".join(sorted(declarations))
    return _digest(text).hex(), text


def write_declarations(connection: Redis, app: str, digest: str, text: bytes) -> None:
    """Write the declarations of a clock for the others. Raises ServerError."""
    with server_errors():
        connection.set(keys.declared(app, digest), text, ex=keys.DECLARED_TTL)


def read_declarations(connection: Redis, app: str, digest: str) -> bytes | None:
    """The declarations with that digest, or None. Raises ServerError."""
    with server_errors():
        text = connection.get(keys.declared(app, digest))
    return text if isinstance(text, bytes) else None


def differing(events: Sequence[Event], ours: bytes, theirs: bytes) -> list[str]:
    """The names of those ``events`` that are in both declarations and differ."""
    of_ours, of_theirs = _by_name(ours), _by_name(theirs)
    different = {
        name
        for name, declaration in of_theirs.items()
        if name in of_ours and of_ours[name] != declaration
    }
    if not different:
        return []
    return [event.name for event in events if _digest(event.name) in different]


def _by_name(text: bytes) -> Mapping[bytes, bytes]:
    step = 2 * SIZE
    return {text[at : at + SIZE]: text[at + SIZE : at + step] for at in range(0, len(text), step)}


def _digest(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "backslashreplace")
    return hashlib.blake2b(data, digest_size=SIZE).digest()


def _spell(value: object) -> str:
    """A string that is the same for equal values in every process, whatever the order of sets.

    Of an object with unknown content only the class counts: a false alarm would be worse.
    """
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_spell(k)}:{_spell(v)}" for k, v in value.items())) + "}"
    if isinstance(value, Set):
        return "{" + ",".join(sorted(map(_spell, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "(" + ",".join(map(_spell, value)) + ")"
    name = type(value).__qualname__
    if is_dataclass(value):
        return name + _spell([getattr(value, field.name) for field in fields(value)])
    return name
