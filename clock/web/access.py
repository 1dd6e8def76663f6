"""Who may: a password or a token, sessions that are signed and expire, and tokens of forms."""

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
"""Seconds for which a session holds: a day's work, not a lost phone's life."""

SHORTEST = 8
"""Characters of a password or a token at least."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks. ``name`` is what a pause notes. ``session`` is the session's own name, None where
    the request brought a password or a token itself; ``is_guest`` is whoever comes where neither is
    asked for.
    """

    name: str
    session: str | None
    is_guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what. Without a password and a token everybody may read.

    ``actions`` allows what changes something, ``arguments`` shows those of jobs. ``secret`` signs;
    ``session_seconds`` is how long a session holds. ``hosts`` are the names under which requests
    may come, None for any.
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
        """Who sends ``request`` at ``now`` (UTC seconds since 1970), None where nobody may know.

        What the request brings itself comes first: a wrong token is not mended by a session.
        """
        kind, _, said = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return Person(name="api", session=None) if self._is_token(said.strip()) else None
        if kind.lower() == "basic":
            name, password = _basic(said)
            return Person(name=name or "web", session=None) if self.knows(password) else None
        session = self._session(request.cookies.get(COOKIE), now)
        if session is not None:
            return session
        return Person(name="web", session=None, is_guest=True) if self.is_open else None

    def knows(self, word: str) -> bool:
        """Whether ``word`` is the password, or the token where there is no password."""
        wanted = self.token if self.password is None else self.password
        return wanted is not None and _equal(word, wanted)

    def begin(self, now: float) -> tuple[str, str]:
        """A session from ``now`` on: the value of its cookie, and its name."""
        name = secrets.token_urlsafe(12)
        return str(self._signer().dumps([name, int(now) + self.session_seconds])), name

    def form_token(self, session: str) -> str:
        """The token that the forms of a session carry; it is worth nothing to another one."""
        return hmac.new(self.secret, b"form:" + session.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, session: str, token: str) -> bool:
        """Whether ``token`` is that of the session's forms."""
        return _equal(token, self.form_token(session))

    def _is_token(self, word: str) -> bool:
        return self.token is not None and _equal(word, self.token)

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
    said: Mapping[str, Any],
    *,
    actions: bool = False,
    arguments: bool = False,
    hosts: frozenset[str] | None = None,
) -> Access:
    """The access that the environment gives (``CLOCK_WEB_PASSWORD`` and so on), else ``said``, the
    names of a settings module (``WEB_PASSWORD`` and so on).

    Sessions outlive restarts where there is a password or a token: what signs them is derived from
    it. Raises SettingsError for a value that cannot be used.
    """
    password, token = _word("PASSWORD", environ, said), _word("TOKEN", environ, said)
    return Access(
        password=password,
        token=token,
        actions=actions or _switch("ACTIONS", environ, said),
        arguments=arguments or _switch("ARGUMENTS", environ, said),
        secret=_secret(password, token),
        hosts=hosts if password is None and token is None else None,
    )


def _secret(password: str | None, token: str | None) -> bytes:
    if password is None and token is None:
        return secrets.token_bytes(32)
    # Slow on purpose: who has a session may try passwords against its signature at home.
    words = f"{password or ''}\0{token or ''}".encode()
    return hashlib.scrypt(words, salt=b"clock.web", n=2**14, r=8, p=1, dklen=32)


def _word(name: str, environ: Mapping[str, str], said: Mapping[str, Any]) -> str | None:
    value = environ.get(f"CLOCK_WEB_{name}") or said.get(f"WEB_{name}")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) < SHORTEST:
        raise SettingsError(f"WEB_{name} is not a text of at least {SHORTEST} characters")
    return value


def _switch(name: str, environ: Mapping[str, str], said: Mapping[str, Any]) -> bool:
    value = environ.get(f"CLOCK_WEB_{name}") or said.get(f"WEB_{name}", False)
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    found = words.get(str(value).lower())
    if found is None:
        raise SettingsError(f"WEB_{name}={value!r} is neither 1 nor 0")
    return found


def _basic(said: str) -> tuple[str, str]:
    try:
        name, _, password = b64decode(said, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return "".join(each for each in name if each.isprintable())[:40], password


def _equal(left: str, right: str) -> bool:
    # Digests have one length: how long the comparison takes tells nothing of the right one.
    digests = (
        hashlib.sha256(each.encode(errors="surrogatepass")).digest() for each in (left, right)
    )
    return hmac.compare_digest(*digests)
