"""``WEB_USERS``: the people who may sign in, with their roles and the hashes of their passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clock.errors import SettingsError
from clock.web.password_hash import check_hash
from clock.web.person import Role, is_name

_SHAPE = 'WEB_USERS must map names to "read" or "act", or to such a role and a hash'


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of ``WEB_USERS``. ``hash`` is None where a proxy or the application names them."""

    role: Role
    hash: str | None = field(default=None, repr=False)


def read_users(environ: Mapping[str, str], settings: Mapping[str, Any]) -> Mapping[str, User]:
    """The people of ``CLOCK_WEB_USERS``, a JSON object, else of the setting ``WEB_USERS``.

    Raises SettingsError, which does not show a hash.
    """
    value: Any = environ.get("CLOCK_WEB_USERS") or settings.get("WEB_USERS") or {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise SettingsError("CLOCK_WEB_USERS must be a JSON object") from None
    if not isinstance(value, Mapping):
        raise SettingsError(_SHAPE)
    return {_name(name): _user(name, entry) for name, entry in value.items()}


def _name(name: object) -> str:
    # HTTP Basic ends a name at a colon.
    if not isinstance(name, str) or not is_name(name) or ":" in name:
        raise SettingsError(f"WEB_USERS: {str(name)[:50]!r} is not a valid name")
    return name


def _user(name: str, entry: object) -> User:
    role, *more = (entry,) if isinstance(entry, str) else _items(entry)
    if role not in [*Role] or len(more) > 1 or not all(isinstance(item, str) for item in more):
        raise SettingsError(f"{_SHAPE}; see {name!r}")
    for text in more:
        try:
            check_hash(text)
        except ValueError as error:
            raise SettingsError(f"WEB_USERS: {name!r} has {error}") from None
    return User(role=Role(str(role)), hash=more[0] if more else None)


def _items(entry: object) -> tuple[Any, ...]:
    return tuple(entry) if isinstance(entry, (list, tuple)) and entry else (None,)
