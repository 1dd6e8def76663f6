"""What an error of the client means, and whether waiting may cure it."""

from __future__ import annotations

import re
import ssl

from redis.exceptions import (
    AuthenticationError,
    ClusterCrossSlotError,
    InvalidResponse,
    MovedError,
    NoPermissionError,
    ResponseError,
)

from clock.connection.handshake import TlsMismatchError
from clock.errors import ServerError

ONE_SLOT = (
    "the server is a node of a cluster, where a claim needs all its keys on one node; "
    "put the same hash tag into RQ_KEY_PREFIX and --app, as in {shop}"
)

_QUOTED = re.compile(r",? with args beginning with:.*")
"""A server quotes a command that it does not know, be it one with a password."""

_DENIED_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")
"""How servers begin what they say of a command in a script that the user may not call: those from
Redis 7 on, and Redis 6. It has no code of its own."""

_TIMELY = ("expired", "not yet valid")
"""What is wrong with a certificate on a host whose clock is not set yet."""


def diagnosed(error: Exception) -> ServerError:
    """The error of the ledger for one of the client's, with what it means where that is known."""
    name, text = type(error).__name__, text_of(error)
    meaning = _meaning(error)
    said = f"{name}: {text}" if meaning is None else f"{name}: {meaning}"
    if meaning is not None and text and not isinstance(error, TlsMismatchError):
        said += f" ({text})"
    return ServerError(said, _kind(error), is_lasting=_is_lasting(error, meaning))


def text_of(error: Exception) -> str:
    """What the client says, in one line and without what a server quotes of a command."""
    return _QUOTED.sub("", " ".join(str(error).split()))


def _meaning(error: Exception) -> str | None:
    if isinstance(error, AuthenticationError):
        return _refusal(error)
    if isinstance(error, TlsMismatchError):
        return str(error)
    if isinstance(error, InvalidResponse):
        return "what answers there does not speak the protocol of Redis"
    # Older clients have no classes for these two, unless they are asked for a cluster.
    code = str(error).partition(" ")[0]
    if isinstance(error, ClusterCrossSlotError) or code == "CROSSSLOT":
        return ONE_SLOT
    if isinstance(error, MovedError) or code == "MOVED":
        return "these keys are on another node of the cluster; give the address of that one"
    if _certificate(error) is not None:
        return "the certificate of the server cannot be verified"
    if isinstance(error, ResponseError) and "DB index is out of range" in str(error):
        return "the server has no database of that number"
    return None


def _refusal(error: AuthenticationError) -> str:
    asks = ("HELLO must be called", "Authentication required")
    if getattr(error, "status_code", "") == "NOAUTH" or str(error).startswith(asks):
        return "the server asks for a password, and none was given"
    return "the server refuses the user or the password"


def _is_lasting(error: Exception, meaning: str | None) -> bool:
    certificate = _certificate(error)
    if certificate is not None:
        return not any(word in certificate.verify_message for word in _TIMELY)
    return meaning is not None


def _certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _kind(error: Exception) -> str:
    if str(error).startswith(_DENIED_IN_SCRIPT):
        return NoPermissionError.__name__
    # The client has no class of its own for every code a server knows: BUSY, MISCONF, ...
    name, code = type(error).__name__, str(error).partition(" ")[0]
    return f"{name} {code}" if type(error) is ResponseError and code.isupper() else name
