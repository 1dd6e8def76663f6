"""What an error of the client means, and whether waiting may cure it."""

from __future__ import annotations

import ssl

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MasterDownError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from clock.connection.diagnosis import diagnosed


@pytest.mark.parametrize(
    "error",
    [
        RedisConnectionError("Error 111 connecting to h:1. Connection refused."),
        RedisConnectionError("Error -2 connecting to h:1. Name or service not known."),
        BusyLoadingError("Redis is loading the dataset in memory"),
        MasterDownError("Link with MASTER is down"),
        ReadOnlyError("You can't write against a read only replica."),
        ClusterDownError("The cluster is down"),
        ResponseError("BUSY Redis is busy running a script."),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_what_passes_by_itself_is_waited_for(error: RedisError) -> None:
    found = diagnosed(error)
    assert not found.is_lasting
    assert str(found) == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AuthenticationError("Authentication required."), "the server asks for a password"),
        (AuthenticationError("invalid password"), "the server refuses the user or the password"),
        (InvalidResponse("Protocol Error: b'HTTP'"), "does not speak the protocol of Redis"),
        (ResponseError("CROSSSLOT Keys in request"), "the server is a node of a cluster"),
        (ResponseError("MOVED 15495 127.0.0.1:1"), "these keys are on another node"),
        (ResponseError("DB index is out of range"), "the server has no database of that number"),
    ],
)
def test_what_lasts_is_said_as_what_it_is(error: RedisError, said: str) -> None:
    found = diagnosed(error)
    assert found.is_lasting
    assert said in str(found)
    assert str(found).startswith(f"{type(error).__name__}: ")
    assert str(error) in str(found)


@pytest.mark.parametrize(
    ("trouble", "is_lasting"),
    [
        ("self-signed certificate", True),
        ("certificate is not yet valid", False),
        ("certificate has expired", False),
    ],
)
def test_a_certificate_that_a_clock_set_wrong_may_refuse_is_waited_for(
    trouble: str, is_lasting: bool
) -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = trouble
    error = RedisConnectionError("Error 1 connecting")
    error.__cause__ = cause
    found = diagnosed(error)
    assert found.is_lasting == is_lasting
    assert "the certificate of the server cannot be verified" in str(found)


def test_a_command_that_a_server_quotes_is_not_passed_on() -> None:
    error = ResponseError("unknown command 'AUTH', with args beginning with: 'user' 'secret' ")
    assert str(diagnosed(error)) == "ResponseError: unknown command 'AUTH'"
