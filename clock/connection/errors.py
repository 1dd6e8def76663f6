"""Turns the errors of the Redis client into ServerError: the one place where that is done."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    ClusterCrossSlotError,
    InvalidResponse,
    MovedError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from clock.connection.client import address_of
from clock.connection.handshake import TlsMismatchError
from clock.errors import ServerError

ONE_SLOT = (
    "the server is a node of a cluster, where a claim needs all its keys on one node; "
    "put the same hash tag into RQ_KEY_PREFIX and --app, as in {shop}"
)

CLIENT_ERRORS = (RedisError, OSError)
"""What the client raises where the server is away or refuses: for the worker alone, whose commands
RQ sends in part."""

_QUOTED = re.compile(r",? with args beginning with:.*")
"""A server quotes the arguments of a command that it does not know, even a password."""

_DENIED_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")
"""How the error of a command that the ACL denies to a script begins: from Redis 7 on, and in Redis
6. It has no code of its own."""

_TRANSIENT = ("expired", "not yet valid")
"""Errors of a certificate that pass once the clock of this host is set."""

_PASSWORD_MISSING = ("HELLO must be called", "Authentication required")


@contextmanager
def server_errors(
    connection: Redis | None = None, error_class: type[ServerError] = ServerError
) -> Iterator[None]:
    """Raise ``error_class`` for whatever the Redis client raises in the block.

    With ``connection``, the message names its server.
    """
    # READONLY, OOM, LOADING, a wrong password and the like are RedisErrors but not
    # ConnectionErrors; a socket that breaks at an odd moment raises a bare OSError.
    try:
        yield
    except CLIENT_ERRORS as error:
        raise server_error(error, connection, error_class) from error


def server_error(
    error: Exception,
    connection: Redis | None = None,
    error_class: type[ServerError] = ServerError,
) -> ServerError:
    """The ServerError for an error of the client, with its cause and cure where they are known."""
    cause = _cause(error)
    message = _message(error, cause)
    if connection is not None:
        seconds = connection.connection_pool.connection_kwargs.get("socket_timeout")
        is_silent = isinstance(error, RedisTimeoutError) and seconds
        reason = f" did not answer within {seconds:g} s" if is_silent else f": {message}"
        message = address_of(connection) + reason
    return error_class(message, _kind(error), is_lasting=_is_lasting(error, cause))


def may_have_run(error: ServerError) -> bool:
    """Whether the server may have run the command that ended in ``error``."""
    cause = error.__cause__
    return not isinstance(cause, ResponseError) and "connecting to" not in str(cause)


def _message(error: Exception, cause: str | None) -> str:
    name, text = type(error).__name__, _QUOTED.sub("", " ".join(str(error).split()))
    if cause is None:
        return f"{name}: {text}" if text else name
    is_quoted = text and not isinstance(error, TlsMismatchError)
    return f"{name}: {cause} ({text})" if is_quoted else f"{name}: {cause}"


def _cause(error: Exception) -> str | None:
    if isinstance(error, AuthenticationError):
        return _cause_of_denial(error)
    if isinstance(error, TlsMismatchError):
        return str(error)
    if isinstance(error, InvalidResponse):
        return "the server does not speak the Redis protocol"
    # Older clients have no classes for these two, except in their cluster client.
    code = str(error).partition(" ")[0]
    if isinstance(error, ClusterCrossSlotError) or code == "CROSSSLOT":
        return ONE_SLOT
    if isinstance(error, MovedError) or code == "MOVED":
        return "these keys are on another node of the cluster; use the address of that node"
    if _certificate_error(error) is not None:
        return "the certificate of the server cannot be verified"
    if isinstance(error, ResponseError) and "DB index is out of range" in str(error):
        return "the server has no database with this number"
    return None


def _cause_of_denial(error: AuthenticationError) -> str:
    if getattr(error, "status_code", "") == "NOAUTH" or str(error).startswith(_PASSWORD_MISSING):
        return "the server requires a password, and none was given"
    return "wrong user or password"


def _is_lasting(error: Exception, cause: str | None) -> bool:
    certificate_error = _certificate_error(error)
    if certificate_error is not None:
        return not any(word in certificate_error.verify_message for word in _TRANSIENT)
    return cause is not None


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _kind(error: Exception) -> str:
    if str(error).startswith(_DENIED_IN_SCRIPT):
        return NoPermissionError.__name__
    # The client has no class of its own for every error code of a server: BUSY, MISCONF, ...
    name, code = type(error).__name__, str(error).partition(" ")[0]
    return f"{name} {code}" if type(error) is ResponseError and code.isupper() else name
