"""The errors of this package, as one tree.

    ClockError
    ├── RecurrenceError     a notation of time that cannot be read, or that can never fire
    ├── ScheduleError       a mistake in a schedule file, with its path and line
    │   └── NotReadError        the file is imported, or run by Python, and not read as a schedule
    ├── DeclarationError    a wrong value in a schedule file, before its place is known
    ├── RowError            a mistake in a row of a source, with its field
    │   └── NotEditableError    the name belongs to an event that is not a stored row
    ├── SettingsError       an invalid setting, variable, option or server address
    ├── UnknownEventError   no event in the ledger has this name
    ├── UnknownSourceError  no clock has a source of this name that people can edit
    ├── CursorError         an invalid cursor of a page of jobs
    ├── BackfillError       a span whose occurrences cannot be backfilled
    ├── TimeSourceError     two clocks of an application take the time from different sources
    ├── ConflictError       what Redis holds forbids it; the same call fails until that changes
    │   ├── NotAQueueError      the key of a queue holds another type
    │   ├── JobIdTakenError     another job has the id that the new job would get
    │   ├── NotEnrolledError    no clock has enrolled the event, so its job is unknown
    │   ├── RowChangedError     a stored row has another version than the one expected
    │   └── RequestChangedError an idempotency key was used for a different request
    ├── ServerError         Redis is away or returned an error; trying again is safe
    │   └── JobServerError      the same, about a job; also a JobError
    │       └── EnqueueError        so the job was not enqueued, as far as is known
    └── JobError            a job that cannot be enqueued, read or waited for
        ├── WaitRefusedError    waiting here would block the clock, or a worker
        ├── JobTimeoutError     it did not end within the timeout; it goes on
        ├── JobFailedError      it failed; the message is its error
        ├── JobExpiredError     it expired before a worker started it
        └── JobUnknownError     Redis does not have it, or no longer

Every message is one sentence that quotes the wrong value and, where there is one, the right one.
Errors of the Redis client become a ServerError in ``clock.connection.errors``, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence


class ClockError(Exception):
    """The base class of every error that this package raises on purpose."""


class RecurrenceError(ClockError, ValueError):
    """A notation of time that cannot be read, or one that can never fire."""


class SettingsError(ClockError):
    """An invalid value in the environment, on the command line or in a settings module."""


class UnknownEventError(ClockError):
    """No event in the ledger has this name."""


class UnknownSourceError(ClockError):
    """No live or former clock has a source of this name whose rows people edit."""


class CursorError(ClockError, ValueError):
    """The cursor of a page of jobs is not valid."""


class BackfillError(ClockError, ValueError):
    """The occurrences of a span cannot be backfilled: too many, in the future, or not known."""


class TimeSourceError(ClockError):
    """Another clock of the application takes the time from another source: host or server."""


class ConflictError(ClockError):
    """What Redis holds forbids the call; it fails again until somebody changes that."""


class NotAQueueError(ConflictError):
    """The key of a queue holds another type, so that no job can be pushed to it."""


HOLDS_NO_QUEUE = "holds no queue"
"""The reason of a NotAQueueError, after the key."""

TAKES_NO_JOBS = f"{HOLDS_NO_QUEUE}, or nothing may be pushed there"
"""The reason where the user's permissions were checked too."""


class JobIdTakenError(ConflictError):
    """Another job has the id that the new job would get."""


class NotEnrolledError(ConflictError):
    """The event is in the ledger but its job is not, because no clock has enrolled it."""


class RowChangedError(ConflictError):
    """Somebody else changed a stored row meanwhile."""


class RequestChangedError(ConflictError):
    """A request has the idempotency key of an earlier, different request."""


class ServerError(ClockError):
    """Redis is away or returned an error. Nothing is known to be lost; trying again is safe.

    ``kind`` names the state of the server without the ports, addresses and numbers of the message.
    ``is_lasting`` is true where waiting does not help: a wrong password, not a Redis server.
    """

    def __init__(self, message: str, kind: str = "", *, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.kind = kind or message
        self.is_lasting = is_lasting


class ScheduleError(ClockError):
    """A mistake in a schedule file.

    ``path`` is the file as it was named, ``line`` the line of the mistake (from 1, or ``None``
    where there is none, as for a file that does not exist), ``message`` one sentence. ``others``
    are the mistakes found in the same run, those further down. ``str()`` returns
    ``path:line: message``, a line for each.
    """

    def __init__(
        self, path: str, line: int | None, message: str, others: tuple[ScheduleError, ...] = ()
    ) -> None:
        super().__init__(path, line, message)
        self.path = path
        self.line = line
        self.message = message
        self.others = others

    def __str__(self) -> str:
        position = self.path if self.line is None else f"{self.path}:{self.line}"
        return "\n".join([f"{position}: {self.message}", *map(str, self.others)])


class DeclarationError(ClockError, ValueError):
    """A wrong value in a schedule file; its reader adds the path and the line."""


class NotReadError(ScheduleError):
    """A schedule file runs as a module or a program, and is not being read as a schedule."""


def all_mistakes(mistakes: Sequence[ScheduleError], path: str) -> ScheduleError:
    """One error of several mistakes, in the order of lines, those of the file ``path`` first.

    Raises ValueError where there are none.
    """
    by_line = sorted(mistakes, key=lambda error: (error.path != path, error.path, error.line or 0))
    unique = list({str(error): error for error in by_line}.values())
    first, *others = unique
    return ScheduleError(first.path, first.line, first.message, tuple(others))


class RowError(ClockError, ValueError):
    """A mistake in a row of a source. ``field`` is the word of the row that is wrong, empty where
    it is not one, ``message`` one sentence.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return self.message


class NotEditableError(RowError):
    """The name of a row belongs to an event of a schedule file or of another source."""


class JobError(ClockError):
    """A job that cannot be enqueued, read or waited for."""


class JobServerError(ServerError, JobError):
    """Redis is away or returned an error when a job was enqueued or read; trying again is safe."""


class EnqueueError(JobServerError):
    """A job was not enqueued, as far as is known: the reply may have been lost.

    ``job_id`` is the id that the job would have: enqueued again with ``id=``, it is there once,
    whether the first call succeeded or not.
    """

    def __init__(
        self, message: str, job_id: str, kind: str = "", *, is_lasting: bool = False
    ) -> None:
        super().__init__(message, kind, is_lasting=is_lasting)
        self.args = (message, job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return str(self.args[0])


class WaitRefusedError(JobError):
    """Waiting for a job here would block the clock, or a worker that the job may need."""


class JobTimeoutError(JobError, TimeoutError):
    """A job did not end within the timeout; it goes on."""


class JobFailedError(JobError):
    """A job failed: the message is its error, ``traceback`` all that RQ kept of it."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message, traceback)
        self.traceback = traceback

    def __str__(self) -> str:
        return str(self.args[0])


class JobExpiredError(JobError):
    """A job expired before a worker started it."""


class JobUnknownError(JobError):
    """Redis does not have the job: it never did, or the job's TTL is over."""


MAX_TEXT = 300
"""Characters of the text of an error that is not ours; a client may quote a whole command."""


def describe_error(error: BaseException) -> str:
    """The class and the text of ``error``, ``MAX_TEXT`` characters at most; its ``str()`` may fail.

    A RecurrenceError is shown without its class, as its text is a sentence for users.
    """
    name = type(error).__name__
    if isinstance(error, RecurrenceError):
        return str(error)[:MAX_TEXT]
    try:
        text = str(error)
        return f"{name}: {text}"[:MAX_TEXT] if text else name
    except BaseException:  # user code, which may raise anything
        return f"{name}, whose text cannot be shown"
