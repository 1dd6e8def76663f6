"""Authentication: whom the settings let in, and with which role."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import HTTPConnection

from clock.errors import SettingsError
from clock.web.password_hash import BLOCK, COST, PARALLEL, SHORTEST, is_password
from clock.web.person import PASSWORD_NAMES, TOKEN_NAMES, Role
from clock.web.proxies import Network, read_proxies
from clock.web.session import AMBIENT, SESSION, Session, form_token, read_session, write_session
from clock.web.users import User, read_users

SESSION_SECONDS = 12 * 3600
"""Seconds until a session expires: long enough for a day's work, short for a lost phone."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Host names by which a machine reaches itself."""

Identity = tuple[str, Role | str] | None
Identify = Callable[[HTTPConnection], Identity | Awaitable[Identity]]
"""An application's function: the name and the role (``read`` or ``act``) of who sent a request,
None for somebody unknown."""

_NOBODY = f"scrypt:{COST}:{BLOCK}:{PARALLEL}:{'A' * 22}:{'A' * 43}"
"""The hash of no password. It is compared with where a name is unknown, so that the time of an
answer does not tell which names are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what. Without passwords, tokens, users, a header and a function, everybody may
    read, and act where that is enabled.

    ``actions`` enables whatever changes something, ``arguments`` shows the arguments of jobs.
    ``secret`` signs sessions and CSRF tokens; ``session_seconds`` is the lifetime of a session.
    ``public_description`` shows the description of the API to everybody.
    ``hosts`` are the host names that requests may name, None for any. ``user_header`` is the header
    in which ``proxies`` name who signed in with them.
    """

    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    actions: bool
    arguments: bool
    secret: bytes = field(repr=False)
    public_description: bool = False
    session_seconds: int = SESSION_SECONDS
    hosts: frozenset[str] | None = None
    read_password: str | None = field(default=None, repr=False)
    read_token: str | None = field(default=None, repr=False)
    users: Mapping[str, User] = field(default_factory=dict)
    proxies: Sequence[Network] = ()
    user_header: str | None = None
    identify: Identify | None = None

    @property
    def is_open(self) -> bool:
        """Whether everybody may read."""
        return not (self.has_passwords or self.user_header or self.identify)

    @property
    def has_passwords(self) -> bool:
        """Whether people can sign in here."""
        return self.has_shared or self.has_names

    @property
    def has_shared(self) -> bool:
        """Whether people sign in with a password, or a token, that they share."""
        return any(self._shared().values())

    @property
    def has_names(self) -> bool:
        """Whether people sign in with their names."""
        return any(user.hash for user in self.users.values())

    def role_of_token(self, token: str) -> tuple[str, Role] | None:
        """The name and the role of a bearer token, None for a wrong one."""
        words = {Role.ACT: self.token, Role.READ: self.read_token}
        return _matching(token, words, TOKEN_NAMES)

    def role_of_shared(self, password: str) -> tuple[str, Role] | None:
        """The name and the role of a shared password, None for a wrong one. Where only a token is
        set, it is the password too.
        """
        return _matching(password, self._shared(), PASSWORD_NAMES)

    def role_of(self, name: str, password: str) -> tuple[str, Role] | None:
        """The name and the role of who knows ``password``, None if it is wrong. Takes a moment on
        purpose where people have names.
        """
        shared = self.role_of_shared(password)
        if shared is not None or not self.has_names:
            return shared
        user = self.users.get(name)
        text = _NOBODY if user is None or user.hash is None else user.hash
        is_right = is_password(password, text)
        return (name, user.role) if is_right and user is not None and user.hash else None

    def knows(self, word: str) -> bool:
        """Whether ``word`` is a shared password."""
        return self.role_of_shared(word) is not None

    def begin(self, now: float, name: str | None = None) -> tuple[str, str]:
        """A new session at ``now`` of who signed in as ``name``: the value of its cookie, and its
        id. Where nobody can sign in here, it only proves that a form is from our own page.
        """
        name = name or PASSWORD_NAMES[Role.ACT]
        if self.is_open:
            return self._begin(now, name, AMBIENT, self.secret)
        return self._begin(now, name, SESSION, self._key_of(name) or self.secret)

    def session(self, cookie: str | None, now: float) -> tuple[Session, Role] | None:
        """The session of ``cookie`` and the role of its person; None if it is not valid at ``now``,
        or the person's password is another one since, or is gone.
        """
        session = read_session(cookie, SESSION, self._key_of, now)
        role = None if session is None else self._role_of_name(session.name)
        return None if session is None or role is None else (session, role)

    def ambient_session(self, cookie: str | None, name: str, now: float) -> str | None:
        """The id of the session in which ``name``, who did not sign in here, submits forms."""
        session = read_session(cookie, AMBIENT, lambda _name: self.secret, now)
        return session.id if session is not None and session.name == name else None

    def begin_ambient(self, now: float, name: str) -> tuple[str, str]:
        """A new one: the value of its cookie, and its id."""
        return self._begin(now, name, AMBIENT, self.secret)

    def form_token(self, session: str) -> str:
        """The CSRF token in the forms of a session; it is not valid in another session."""
        return form_token(session, self.secret)

    def is_form_token(self, session: str, token: str) -> bool:
        """Whether ``token`` is the CSRF token of the session."""
        return _equal(token, self.form_token(session))

    def _begin(self, now: float, name: str, kind: str, key: bytes) -> tuple[str, str]:
        until = int(now) + self.session_seconds
        session = Session(id=secrets.token_urlsafe(12), name=name, until=until)
        return write_session(session, kind, key), session.id

    def _shared(self) -> Mapping[Role, str | None]:
        """The shared passwords by role."""
        return {
            Role.ACT: self.password or self.token,
            Role.READ: self.read_password or self.read_token,
        }

    def _role_of_name(self, name: str) -> Role | None:
        for role, word in self._shared().items():
            if word is not None and name == PASSWORD_NAMES[role]:
                return role
        user = self.users.get(name)
        return None if user is None or user.hash is None else user.role

    def _key_of(self, name: str) -> bytes | None:
        """The key of the sessions of ``name``: a new password ends that person's, and no others."""
        user = self.users.get(name)
        if user is not None and user.hash is not None:
            return hashlib.sha256(b"clock.web.user:" + user.hash.encode()).digest()
        return self.secret if name in PASSWORD_NAMES.values() else None


def read_access(
    environ: Mapping[str, str],
    settings: Mapping[str, Any],
    *,
    actions: bool = False,
    arguments: bool = False,
    hosts: frozenset[str] | None = None,
    identify: Identify | None = None,
) -> Access:
    """The access that ``environ`` (``CLOCK_WEB_PASSWORD`` and so on) configures, else ``settings``,
    the names of a settings module (``WEB_PASSWORD`` and so on). ``hosts`` count while it is open;
    ``identify`` is the function of an application that the web UI is mounted in.

    Sessions survive restarts unless the password changes: the secret is derived from it.
    Raises SettingsError for an invalid value.
    """
    password, token = _word("PASSWORD", environ, settings), _word("TOKEN", environ, settings)
    read_password = _word("READ_PASSWORD", environ, settings)
    read_token = _word("READ_TOKEN", environ, settings)
    users, proxies = read_users(environ, settings), read_proxies(environ, settings)
    _check_different((password, token), (read_password, read_token))
    access = Access(
        password=password,
        token=token,
        actions=actions or _switch("ACTIONS", environ, settings),
        arguments=arguments or _switch("ARGUMENTS", environ, settings),
        public_description=_switch("PUBLIC_DESCRIPTION", environ, settings),
        secret=_secret((password, token, read_password, read_token), users),
        read_password=read_password,
        read_token=read_token,
        users=users,
        proxies=proxies,
        user_header=_header(environ, settings, proxies),
        identify=identify,
    )
    return replace(access, hosts=hosts) if access.is_open else access


def _secret(words: Sequence[str | None], users: Mapping[str, User]) -> bytes:
    if any(words):
        # Slow on purpose: whoever has a session can try passwords against its signature offline.
        text = "\0".join(word or "" for word in words).encode()
        return hashlib.scrypt(text, salt=b"clock.web", n=2**14, r=8, p=1, dklen=32)
    hashes = sorted(user.hash for user in users.values() if user.hash)
    return (
        hashlib.sha256("\0".join(hashes).encode()).digest() if hashes else secrets.token_bytes(32)
    )


def _check_different(acting: Sequence[str | None], reading: Sequence[str | None]) -> None:
    for word in reading:
        if word is not None and word in acting:
            raise SettingsError("a WEB_READ_ password or token must differ from those that may act")


def _header(
    environ: Mapping[str, str], settings: Mapping[str, Any], proxies: Sequence[Network]
) -> str | None:
    value: Any = environ.get("CLOCK_WEB_USER_HEADER") or settings.get("WEB_USER_HEADER") or None
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,100}", value):
        raise SettingsError("WEB_USER_HEADER must be the name of a header, as X-Forwarded-User")
    if not proxies:
        raise SettingsError("WEB_USER_HEADER needs WEB_PROXIES, the addresses that may send it")
    return value


def _word(name: str, environ: Mapping[str, str], settings: Mapping[str, Any]) -> str | None:
    value = environ.get(f"CLOCK_WEB_{name}") or settings.get(f"WEB_{name}")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) < SHORTEST:
        raise SettingsError(f"WEB_{name} must be a string of at least {SHORTEST} characters")
    return value


def _switch(name: str, environ: Mapping[str, str], settings: Mapping[str, Any]) -> bool:
    value = environ.get(f"CLOCK_WEB_{name}") or settings.get(f"WEB_{name}", False)
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    switch = words.get(str(value).lower())
    if switch is None:
        raise SettingsError(f"WEB_{name} must be 1 or 0, not {value!r}")
    return switch


def _matching(
    word: str, expected: Mapping[Role, str | None], names: Mapping[Role, str]
) -> tuple[str, Role] | None:
    matching = None
    for role, secret in expected.items():
        if secret is not None and _equal(word, secret):
            matching = matching or (names[role], role)
    return matching


def _equal(left: str, right: str) -> bool:
    # Digests have one length, so the time of the comparison reveals nothing about the secret.
    digests = (
        hashlib.sha256(word.encode(errors="surrogatepass")).digest() for word in (left, right)
    )
    return hmac.compare_digest(*digests)
