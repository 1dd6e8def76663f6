"""Connections that detect when only one end speaks TLS.

redis-py reports that as a closed connection or a timeout, which looks like an outage.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from redis.connection import Connection, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

PROBE_TIMEOUT = 2.0
"""Seconds to find out whether the server speaks TLS."""

_ALERT = "\x15"
"""The first byte of a TLS record with an error."""


class TlsMismatchError(RedisConnectionError):
    """The address is ``rediss://`` and the server does not speak TLS, or the reverse."""


class PlainConnection(Connection):
    """A connection without TLS."""

    def connect(self) -> None:
        """Connect; raises TlsMismatchError where the server speaks only TLS."""
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisConnectionError, InvalidResponse) as error:
            if _was_closed(error) and _speaks_tls(self.host, self.port):
                raise TlsMismatchError(
                    "the server requires TLS; write rediss:// instead of redis://"
                ) from error
            raise


class TlsConnection(SSLConnection):
    """A connection with TLS."""

    def connect(self) -> None:
        """Connect; raises TlsMismatchError where the server does not speak TLS."""
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisConnectionError, RedisTimeoutError) as error:
            # Redis reads the TLS handshake as the beginning of a line, and waits for its end.
            if isinstance(error, RedisTimeoutError) and not _speaks_redis(self.host, self.port):
                raise
            if isinstance(error, RedisConnectionError) and not _is_not_tls(error):
                raise
            raise TlsMismatchError(
                "the server does not speak TLS; write redis:// instead of rediss://"
            ) from error


def _was_closed(error: Exception) -> bool:
    if isinstance(error, InvalidResponse):
        return _ALERT in str(error) or repr(_ALERT)[1:-1] in str(error)
    return "closed by server" in str(error) or isinstance(error.__context__, ConnectionResetError)


def _is_not_tls(error: BaseException | None) -> bool:
    """Whether the server sent something other than TLS."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    reasons = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}
    return error is not None and error.reason in reasons


def _speaks_tls(host: Any, port: Any) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent over this connection, so the certificate does not matter.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), PROBE_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _speaks_redis(host: Any, port: Any) -> bool:
    try:
        with socket.create_connection((host, port), PROBE_TIMEOUT) as plain:
            plain.sendall(b"PING\r\n")
            return plain.recv(16)[:1] in {b"+", b"-"}
    except OSError:
        return False
