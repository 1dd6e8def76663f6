"""The types of problems (RFC 9457), by which a program can tell the errors of the API apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from clock.errors import (
    BackfillError,
    ClockError,
    ConflictError,
    CursorError,
    JobIdTakenError,
    NotAQueueError,
    NotEditableError,
    NotEnrolledError,
    RecurrenceError,
    RequestChangedError,
    RowChangedError,
    RowError,
    ServerError,
    UnknownEventError,
    UnknownSourceError,
)

REFERENCE = "/api/v1/docs"
"""The page that describes the API, whose anchors are the names of the problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A type of problem, its status, and when it occurs."""

    name: str
    status: int
    when: str


def _table(*rows: tuple[str, int, str]) -> Mapping[str, Problem]:
    return {name: Problem(name=name, status=status, when=when) for name, status, when in rows}


PROBLEMS = _table(
    ("invalid-request", 400, "a parameter, a header, a key or the JSON itself is malformed"),
    ("invalid-cursor", 400, "the cursor is not one that a page returned"),
    ("invalid-span", 400, "the span of a backfill cannot be backfilled"),
    ("not-signed-in", 401, "the token or the password is missing or wrong"),
    ("not-allowed", 403, "the configuration does not allow it"),
    ("actions-disabled", 403, "actions are not enabled"),
    ("read-only", 403, "the credentials only allow reading"),
    ("cross-site", 403, "another site sent the request, or a form of another session"),
    ("task-not-allowed", 403, "the task may not be enqueued over the API"),
    ("not-found", 404, "there is nothing at the path"),
    ("unknown-event", 404, "no schedule has an event with this name"),
    ("unknown-queue", 404, "neither RQ nor an event knows a queue with this name"),
    ("unknown-job", 404, "RQ has no job with this id, or no longer"),
    ("no-output", 404, "no output of the job is kept"),
    ("method-not-allowed", 405, "the path does not support the method"),
    ("slow-body", 408, "the body did not arrive in time"),
    ("conflict", 409, "what the server holds does not allow it"),
    ("job-state", 409, "the state of the job does not allow it"),
    ("not-a-queue", 409, "the key of the queue is of another type"),
    ("not-enrolled", 409, "no clock has enrolled the event"),
    ("id-taken", 409, "another job has the id"),
    ("not-editable", 409, "the event is of a schedule file or another source: no stored row"),
    ("unknown-source", 409, "no clock has such a source whose rows people edit"),
    ("row-changed", 412, "the stored row has another version than If-Match names"),
    ("too-large", 413, "the body is too large"),
    ("not-json", 415, "the body is not JSON"),
    ("wrong-host", 421, "the request names a host that is not this machine"),
    ("invalid-value", 422, "the JSON is well formed, but a value is not valid"),
    ("invalid-row", 422, "a word of the row is not valid: field names it"),
    ("key-reused", 422, "the idempotency key was sent with another body before"),
    ("too-many-attempts", 429, "too many sign-ins failed at the address"),
    ("internal-error", 500, "an error occurred that is in the log"),
    ("server-away", 503, "Redis or Valkey is away or refuses"),
    ("busy", 503, "too many large bodies are being sent, or too many streams are open"),
)
"""By their names. The first of a status is that of errors that have no other."""

_BY_STATUS = {problem.status: problem for problem in reversed([*PROBLEMS.values()])}

_OF_ERRORS: Mapping[type[ClockError], str] = {
    UnknownEventError: "unknown-event",
    CursorError: "invalid-cursor",
    BackfillError: "invalid-span",
    RecurrenceError: "invalid-request",
    NotAQueueError: "not-a-queue",
    JobIdTakenError: "id-taken",
    NotEnrolledError: "not-enrolled",
    RequestChangedError: "key-reused",
    RowChangedError: "row-changed",
    NotEditableError: "not-editable",
    RowError: "invalid-row",
    UnknownSourceError: "unknown-source",
    ConflictError: "conflict",
    ServerError: "server-away",
}

ERRORS = tuple(_OF_ERRORS)
"""The errors that are problems of a type of their own."""


class ProblemError(HTTPException):
    """The problem with this name, because of ``detail``, one sentence."""

    def __init__(self, name: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(PROBLEMS[name].status, detail, headers)
        self.problem = PROBLEMS[name]


def problem_of(error: Exception) -> Problem | None:
    """The problem that ``error`` is; None where its status says it."""
    if isinstance(error, ProblemError):
        return error.problem
    names = (name for kind, name in _OF_ERRORS.items() if isinstance(error, kind))
    name = next(names, None)
    return None if name is None else PROBLEMS[name]


def problem_object(
    status: int, title: str, detail: str, root: str, problem: Problem | None = None
) -> dict[str, Any]:
    """The JSON object of a problem. Its type is the address of its description below ``root``, on
    whatever host answered.
    """
    problem = problem or _BY_STATUS.get(status)
    kind = "about:blank" if problem is None else f"{root}{REFERENCE}#{problem.name}"
    return {"type": kind, "title": title, "status": status, "detail": detail}
