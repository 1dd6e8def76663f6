"""The errors of this package, as one tree.

    ClockError
    ├── RecurrenceError     a notation of time that cannot be read, or that can never fire
    ├── ScheduleError       a mistake in a schedule file, with its path and line
    ├── SettingsError       a zone, address or settings module from outside that cannot be used
    ├── TimeSourceError     two clocks of an application that take the time from different sources
    ├── UnknownEventError   a name that no event in the ledger has
    ├── CursorError         a text that is not where a page of jobs ended
    ├── RequestChangedError the key of a request came before with another one
    ├── ServerError         the server could not be asked, or refused; the clock waits and goes on
    │   ├── NoQueueError        the key of a queue holds something else
    │   └── IdTakenError        another job has the id that a job would get
    └── JobError            a job that cannot be enqueued, asked about or waited for
        ├── JobServerError      the server could not be asked about it, or refused
        │   └── EnqueueError        and so it was not enqueued, as far as is known
        ├── WaitRefusedError    waiting for it here would hold up the clock, or a worker
        ├── JobTimeoutError     it has not ended in the time that was to be waited
        ├── JobFailedError      it failed; the message is its error
        ├── JobExpiredError     it was not started in time, and will not be
        └── JobUnknownError     the server knows nothing of it, or nothing any more

Every message is one sentence that names the wrong word and, where there is one, the right one.
"""

from __future__ import annotations


class ClockError(Exception):
    """The root of every error this package raises on purpose."""


class RecurrenceError(ClockError, ValueError):
    """A notation of time that cannot be read, or one that can never fire."""


class SettingsError(ClockError):
    """A value from the environment, the command line or a settings module that cannot be used."""


class TimeSourceError(ClockError):
    """Another clock of the application takes the time from elsewhere: from the server, or not."""


class UnknownEventError(ClockError):
    """A name that no event in the ledger has."""


class CursorError(ClockError, ValueError):
    """A text that was to say where a page of jobs ended, and does not."""


class ServerError(ClockError):
    """The server is away or refuses; nothing is known to be lost, the step may be tried again.

    ``kind`` names the state the server is in, whatever ports, addresses and counts the message has.
    ``is_lasting`` says that waiting alone will not change it: a wrong password, no Redis at all.
    """

    def __init__(self, message: str, kind: str = "", *, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.kind = kind or message
        self.is_lasting = is_lasting


class NoQueueError(ServerError):
    """The key of a queue holds something else, so no job can go there."""


class IdTakenError(ServerError):
    """Another job has the id that a job of the clock would get."""


class NotEnrolledError(ServerError):
    """An event is known, and its job is not: no clock has enrolled it."""


class ScheduleError(ClockError):
    """A mistake in a schedule file.

    ``path`` is the file as it was named, ``line`` the line of the mistake (from 1, or ``None``
    where no line is to blame, as for a file that does not exist), ``message`` one sentence.
    ``str()`` gives ``path:line: message``.
    """

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(path, line, message)
        self.path = path
        self.line = line
        self.message = message

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


class JobError(ClockError):
    """A job that cannot be enqueued, asked about or waited for."""


class JobServerError(JobError):
    """The server did not answer a question about jobs, or refused it; it may be asked again."""


class EnqueueError(JobServerError):
    """A job that was not enqueued, as far as is known: a reply may have been lost on its way.

    ``job_id`` is the id it would have: enqueued again with ``id=`` it is there once, whatever
    became of the first.
    """

    def __init__(self, message: str, job_id: str) -> None:
        super().__init__(message, job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return str(self.args[0])


class RequestChangedError(ClockError):
    """A request with the key of another one, which may only be sent again as it was."""


class WaitRefusedError(JobError):
    """Waiting for a job where that would hold up the clock, or a worker that it may need."""


class JobTimeoutError(JobError, TimeoutError):
    """A job that has not ended in the time that was to be waited; it goes on."""


class JobFailedError(JobError):
    """A job that failed: the message is its error, ``traceback`` the whole of what RQ kept."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message, traceback)
        self.traceback = traceback

    def __str__(self) -> str:
        return str(self.args[0])


class JobExpiredError(JobError):
    """A job that was not started in time, and will not be."""


class JobUnknownError(JobError):
    """A job of which the server knows nothing: it never had it, or has forgotten it."""


LONGEST_TEXT = 300
"""Characters of the text of an error that is not ours; a client may quote a whole command."""


def words_of(error: BaseException) -> str:
    """The class and the text of an error in somebody else's code; the text may itself fail.

    A RecurrenceError is a sentence without its class.
    """
    name = type(error).__name__
    if isinstance(error, RecurrenceError):
        return str(error)[:LONGEST_TEXT]
    try:
        text = str(error)
        return f"{name}: {text}"[:LONGEST_TEXT] if text else name
    except BaseException:  # its __str__ raises whatever it likes
        return f"{name}, whose text cannot be shown"
