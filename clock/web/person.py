"""Who sends requests, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME = 100
"""Characters of a person's name."""


class Role(StrEnum):
    """What somebody may do: ``READ``, or ``ACT`` too where actions are enabled."""

    READ = "read"
    ACT = "act"


PASSWORD_NAMES = {Role.ACT: "web", Role.READ: "web-read"}
"""Who somebody with a shared password is: nobody knows which of those who know it."""

TOKEN_NAMES = {Role.ACT: "api", Role.READ: "api-read"}
"""Likewise with a shared token."""

UNKNOWN = "unknown"
"""Who a failed sign-in is recorded as."""

RESERVED_NAMES = frozenset({*PASSWORD_NAMES.values(), *TOKEN_NAMES.values(), UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who sent a request. ``name`` is recorded in pauses and in the audit log. ``session`` is the
    id of the session, None if the request carried credentials of its own. ``is_ambient`` is true
    where no credentials were checked here: a proxy or the application names the person, or nobody
    has to sign in.
    """

    name: str
    role: Role
    session: str | None = None
    is_ambient: bool = False


def is_name(name: object) -> bool:
    """Whether ``name`` may be that of a person."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and name == name.strip()
        and name not in RESERVED_NAMES
    )
