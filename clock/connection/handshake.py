"""Connections that notice where one end speaks TLS and the other does not.

By itself that looks like a server that hangs up, or never answers, and so like an outage.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from redis.connection import Connection, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

LONGEST = 2.0
"""Seconds for the question whether the other end speaks TLS."""

_ALERT = "\x15"
"""The first byte of a TLS record that says what is wrong."""


class TlsMismatchError(RedisConnectionError):
    """The address says TLS and the server does not speak it, or the other way round."""


class PlainConnection(Connection):
    """A connection without TLS."""

    def connect(self) -> None:
        """Connect; raises TlsMismatchError where the server speaks nothing but TLS."""
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisConnectionError, InvalidResponse) as error:
            if _was_hung_up(error) and _speaks_tls(self.host, self.port):
                raise TlsMismatchError(
                    "the server wants TLS; write rediss:// instead of redis://"
                ) from error
            raise


class TlsConnection(SSLConnection):
    """A connection with TLS."""

    def connect(self) -> None:
        """Connect; raises TlsMismatchError where the server does not speak TLS."""
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except (RedisConnectionError, RedisTimeoutError) as error:
            # Redis takes the greeting of TLS for the beginning of a line, and waits for its end.
            if isinstance(error, RedisTimeoutError) and not _speaks_plainly(self.host, self.port):
                raise
            if isinstance(error, RedisConnectionError) and not _is_no_tls(error):
                raise
            raise TlsMismatchError(
                "the server does not speak TLS; write redis:// instead of rediss://"
            ) from error


def _was_hung_up(error: Exception) -> bool:
    if isinstance(error, InvalidResponse):
        return _ALERT in str(error) or repr(_ALERT)[1:-1] in str(error)
    return "closed by server" in str(error) or isinstance(error.__context__, ConnectionResetError)


def _is_no_tls(error: BaseException | None) -> bool:
    """Whether what came over a connection was no TLS."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    reasons = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}
    return error is not None and error.reason in reasons


def _speaks_tls(host: Any, port: Any) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent over it, so it does not matter who answers.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), LONGEST) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _speaks_plainly(host: Any, port: Any) -> bool:
    try:
        with socket.create_connection((host, port), LONGEST) as plain:
            plain.sendall(b"PING\r\n")
            return plain.recv(16)[:1] in {b"+", b"-"}
    except OSError:
        return False
