"""Authentication: a password or a token, sessions that are signed and expire, and CSRF tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection

from clock.errors import SettingsError

COOKIE = "clock_session"

SESSION = 12 * 3600
"""Seconds until a session expires: long enough for a day's work, short for a lost phone."""

SHORTEST = 8
"""Minimum length of a password or a token, in characters."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Host names by which a machine reaches itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who sent a request. ``name`` is recorded in a pause. ``session`` is the name of the session,
    None if the request itself carried a password or a token. ``is_guest`` is true where neither is
    configured.
    """

    name: str
    session: str | None
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what. Without a password and a token everybody may read.

    ``actions`` enables whatever changes something, ``arguments`` shows the arguments of jobs.
    ``secret`` signs sessions and CSRF tokens; ``session_seconds`` is the lifetime of a session.
    ``hosts`` are the host names that requests may name, None for any.
    """

    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    actions: bool
    arguments: bool
    secret: bytes = field(repr=False)
    session_seconds: int = SESSION
    hosts: frozenset[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether everybody may read."""
        return self.password is None and self.token is None

    def check(self, request: HTTPConnection, now: float) -> Person | None:
        """Who sent ``request`` at ``now`` (UTC seconds since 1970), None if not authenticated.

        Credentials in the request come first: a session does not make up for a wrong token.
        """
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            is_token = self.token is not None and _equal(credentials.strip(), self.token)
            return Person(name="api", session=None) if is_token else None
        if kind.lower() == "basic":
            name, password = _basic(credentials)
            return Person(name=name or "web", session=None) if self.knows(password) else None
        session = self._session(request.cookies.get(COOKIE), now)
        if session is not None:
            return session
        return Person(name="web", session=None, is_guest=True) if self.is_open else None

    def knows(self, word: str) -> bool:
        """Whether ``word`` is the password, or the token where no password is set."""
        expected = self.token if self.password is None else self.password
        return expected is not None and _equal(word, expected)

    def begin(self, now: float) -> tuple[str, str]:
        """A new session at ``now``: the value of its cookie, and its name."""
        name = secrets.token_urlsafe(12)
        return str(self._signer().dumps([name, int(now) + self.session_seconds])), name

    def form_token(self, session: str) -> str:
        """The CSRF token in the forms of a session; it is not valid in another session."""
        return hmac.new(self.secret, b"form:" + session.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, session: str, token: str) -> bool:
        """Whether ``token`` is the CSRF token of the session."""
        return _equal(token, self.form_token(session))

    def _session(self, cookie: str | None, now: float) -> Person | None:
        try:
            name, until = self._signer().loads(cookie or "")
        except (BadSignature, ValueError, TypeError):
            return None
        if until <= now:
            return None
        return Person(name="web", session=name, is_guest=self.is_open)

    def _signer(self) -> URLSafeSerializer:
        kind = "guest" if self.is_open else "session"
        return URLSafeSerializer(self.secret, salt=f"clock.web.{kind}")


def read_access(
    environ: Mapping[str, str],
    settings: Mapping[str, Any],
    *,
    actions: bool = False,
    arguments: bool = False,
    hosts: frozenset[str] | None = None,
) -> Access:
    """The access that ``environ`` (``CLOCK_WEB_PASSWORD`` and so on) configures, else ``settings``,
    the names of a settings module (``WEB_PASSWORD`` and so on).

    Sessions survive restarts if there is a password or a token: the secret is derived from it.
    Raises SettingsError for an invalid value.
    """
    password, token = _word("PASSWORD", environ, settings), _word("TOKEN", environ, settings)
    return Access(
        password=password,
        token=token,
        actions=actions or _switch("ACTIONS", environ, settings),
        arguments=arguments or _switch("ARGUMENTS", environ, settings),
        secret=_secret(password, token),
        hosts=hosts if password is None and token is None else None,
    )


def _secret(password: str | None, token: str | None) -> bytes:
    if password is None and token is None:
        return secrets.token_bytes(32)
    # Slow on purpose: whoever has a session can try passwords against its signature offline.
    words = f"{password or ''}\0{token or ''}".encode()
    return hashlib.scrypt(words, salt=b"clock.web", n=2**14, r=8, p=1, dklen=32)


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


def _basic(credentials: str) -> tuple[str, str]:
    try:
        name, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return "".join(filter(str.isprintable, name))[:40], password


def _equal(left: str, right: str) -> bool:
    # Digests have one length, so the time of the comparison reveals nothing about the secret.
    digests = (
        hashlib.sha256(word.encode(errors="surrogatepass")).digest() for word in (left, right)
    )
    return hmac.compare_digest(*digests)
