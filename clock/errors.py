"""The errors of this package, as one tree.

    ClockError
    ├── RecurrenceError     a notation of time that cannot be read, or that can never fire
    ├── ScheduleError       a mistake in a schedule file, with its path and line
    ├── SettingsError       a zone, address or settings module from outside that cannot be used
    ├── UnknownEventError   a name that no event in the ledger has
    └── LedgerError         the server could not be asked, or refused; the clock waits and goes on

Every message is one sentence that names the wrong word and, where there is one, the right one.
"""

from __future__ import annotations


class ClockError(Exception):
    """The root of every error this package raises on purpose."""


class RecurrenceError(ClockError, ValueError):
    """A notation of time that cannot be read, or one that can never fire."""


class SettingsError(ClockError):
    """A value from the environment, the command line or a settings module that cannot be used."""


class UnknownEventError(ClockError):
    """A name that no event in the ledger has."""


class LedgerError(ClockError):
    """The server is away or refuses; nothing is known to be lost, the step may be tried again.

    ``kind`` names the state the server is in, whatever ports, addresses and counts the message has.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind or message


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
