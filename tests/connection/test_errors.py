"""Errors of the Redis client become a ServerError that names the cause, and whether it lasts."""

from __future__ import annotations

import copy
import re
import ssl
from pathlib import Path

import pytest
from redis import Redis
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

import clock
from clock.connection.errors import server_error, server_errors
from clock.errors import (
    ConflictError,
    EnqueueError,
    JobError,
    JobIdTakenError,
    JobServerError,
    NotAQueueError,
    NotEnrolledError,
    RequestChangedError,
    ServerError,
)


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
def test_a_transient_error_is_not_lasting(error: RedisError) -> None:
    result = server_error(error)
    assert not result.is_lasting
    assert str(result) == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AuthenticationError("Authentication required."), "the server requires a password"),
        (AuthenticationError("invalid password"), "wrong user or password"),
        (InvalidResponse("Protocol Error: b'HTTP'"), "does not speak the Redis protocol"),
        (ResponseError("CROSSSLOT Keys in request"), "the server is a node of a cluster"),
        (ResponseError("MOVED 15495 127.0.0.1:1"), "these keys are on another node"),
        (ResponseError("DB index is out of range"), "the server has no database with this number"),
    ],
)
def test_a_lasting_error_names_its_cause(error: RedisError, cause: str) -> None:
    result = server_error(error)
    assert result.is_lasting
    assert cause in str(result)
    assert str(result).startswith(f"{type(error).__name__}: ")
    assert str(error) in str(result)


@pytest.mark.parametrize(
    ("message", "is_lasting"),
    [
        ("self-signed certificate", True),
        ("certificate is not yet valid", False),
        ("certificate has expired", False),
    ],
)
def test_an_invalid_certificate_is_lasting_unless_this_host_s_time_is_wrong(
    message: str, is_lasting: bool
) -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = message
    error = RedisConnectionError("Error 1 connecting")
    error.__cause__ = cause
    result = server_error(error)
    assert result.is_lasting == is_lasting
    assert "the certificate of the server cannot be verified" in str(result)


def test_the_arguments_that_a_server_quotes_are_removed() -> None:
    error = ResponseError("unknown command 'AUTH', with args beginning with: 'user' 'secret' ")
    assert str(server_error(error)) == "ResponseError: unknown command 'AUTH'"


def test_an_error_about_a_job_is_both_a_server_error_and_a_job_error() -> None:
    with (
        Redis(port=1) as client,
        pytest.raises(JobServerError) as caught,
        server_errors(client, JobServerError),
    ):
        client.ping()
    assert isinstance(caught.value, ServerError)
    assert isinstance(caught.value, JobError)
    assert (caught.value.kind, caught.value.is_lasting) == ("ConnectionError", False)
    assert str(caught.value).startswith("redis://localhost:1/0: ConnectionError: ")


def test_an_enqueue_error_keeps_its_id_its_text_and_its_kind_when_copied() -> None:
    text = "tasks.x was not enqueued"
    error = EnqueueError(text, "it", "ReadOnlyError")
    assert isinstance(error, JobServerError)
    for each in (error, copy.copy(error)):
        assert (each.job_id, str(each), each.kind) == ("it", text, "ReadOnlyError")
        assert each.args == (text, "it")
    assert EnqueueError(text, "it").kind == text


def test_a_conflict_is_not_a_server_error() -> None:
    for error in (NotAQueueError, JobIdTakenError, NotEnrolledError, RequestChangedError):
        assert issubclass(error, ConflictError)
        assert not issubclass(error, ServerError)


def test_no_other_module_catches_the_client_s_errors() -> None:
    package = Path(clock.__file__).parent
    catchers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if re.search(r"\bRedisError\b", file.read_text())
    }
    assert catchers == {
        "connection/errors.py",
        "connection/sentinel.py",  # raised again
    }
