"""Sessions that ended before they expired, because their person signed out.

A session is a signed cookie, which stays valid wherever a copy of it is; this ends it for every
process of the web UI.
"""

from __future__ import annotations

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors


def sign_out(connection: Redis, app: str, session: str, seconds: int) -> None:
    """End the session with this id, which would expire in ``seconds``. Raises ServerError."""
    with server_errors():
        connection.set(keys.signed_out(app, session), "", ex=max(1, seconds))


def is_signed_out(connection: Redis, app: str, session: str) -> bool:
    """Whether the session was ended. Raises ServerError."""
    with server_errors():
        return bool(connection.exists(keys.signed_out(app, session)))
