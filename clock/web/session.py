"""Sessions: what a cookie says, signed, and what the cookie is called."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection

SESSION = "session"
"""The kind of a session that began with a password."""

AMBIENT = "guest"
"""The kind of one that proves nothing but that a form is from our own page."""

_PORT = re.compile(r":([0-9]{1,5})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """``id`` is random, ``name`` is the person's, ``until`` is when it expires, in UTC seconds
    since 1970.
    """

    id: str
    name: str
    until: int


KeyOf = Callable[[str], bytes | None]
"""The key that signs the sessions of a name, None for an unknown name."""


def write_session(session: Session, kind: str, key: bytes) -> str:
    """The value of the cookie of a session: the name, whose key signs, and what is signed."""
    signed = _signer(kind, key).dumps([session.id, session.until, session.name])
    return f"{urlsafe_b64encode(session.name.encode()).decode().rstrip('=')}~{signed}"


def read_session(cookie: str | None, kind: str, key_of: KeyOf, now: float) -> Session | None:
    """The session of a cookie; None if it is not one of ``kind``, or over at ``now``."""
    name, _, signed = (cookie or "").partition("~")
    try:
        key = key_of(urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode())
        if key is None:
            return None
        # Before the signature is checked nothing is unpacked: a cookie can be a zip bomb.
        identifier, until, name = _signer(kind, key).loads(signed)
    except (BadSignature, ValueError, TypeError):
        return None
    return Session(id=identifier, name=name, until=until) if until > now else None


def form_token(session: str, secret: bytes) -> str:
    """The CSRF token in the forms of the session with this id; valid in no other."""
    return hmac.new(secret, b"form:" + session.encode(), hashlib.sha256).hexdigest()


def cookie_name(app: str, request: HTTPConnection) -> str:
    """The name of the cookie of ``app``: browsers send the cookies of a host to all its ports, and
    two of our pages must not end each other's sessions. The port is that which the browser sees,
    the same for all processes behind one address.
    """
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    port = _PORT.search(host)
    plain = re.sub(r"[^A-Za-z0-9]", "-", app)[:50]
    return f"clock_session_{plain}_{port[1] if port else 'default'}"


def _signer(kind: str, key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=f"clock.web.{kind}")
