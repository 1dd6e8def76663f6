"""Reading a crontab, as Debian's crontab(5) has it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from clock.importing.imported import Imported, ImportedEvent, LeftOut
from clock.importing.literal import literal
from clock.recurrence.cron import parse_cron

_VARIABLE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z_]\w*))\s*=\s*(.*?)\s*$""")
_PLAIN = re.compile(r"""[\w@%+=:,./ '"-]+""")
"""A command that a shell would only split into words."""
_BUILT_IN = {".", "cd", "eval", "exec", "export", "source", "ulimit", "umask", "unset", "wait"}
_INSTEAD = {
    "MAILTO": "nothing sends mail; failures are sent to watchers, see docs/watchers.md",
    "MAILFROM": "nothing sends mail; failures are sent to watchers, see docs/watchers.md",
    "SHELL": "commands run in /bin/sh, or without a shell",
    "RANDOM_DELAY": "write jitter= for the events that need it",
}


@dataclass
class _Reader:
    name: str
    has_users: bool
    events: list[ImportedEvent] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    zone: str | None = None

    def read(self, number: int, line: str) -> None:
        source, text = f"{self.name}:{number}", line.strip()
        if text.startswith("#"):
            self.comments.append(text)
            return
        comments, self.comments = tuple(self.comments), []
        variable = _VARIABLE.match(text)
        if not text:
            return
        if variable:
            name = variable[1] or variable[2] or variable[3]
            self._variable(source, name, variable[4].strip("'\""))
            return
        try:
            event = self._event(source, text, comments)
        except ValueError as error:
            self.left_out.append(LeftOut(source, str(error)))
        else:
            self.events.append(event)

    def _variable(self, source: str, name: str, value: str) -> None:
        if name == "CRON_TZ":
            self.zone = value
            return
        instead = _INSTEAD.get(name, "set it in the environment of the workers")
        self.left_out.append(LeftOut(source, f"{name} has no counterpart: {instead}"))

    def _event(self, source: str, text: str, comments: tuple[str, ...]) -> ImportedEvent:
        when, rest = _split(text, 1 if text.startswith("@") else 5)
        if when == "@reboot":
            raise ValueError(
                "'@reboot' has no counterpart: nothing fires because a process starts; "
                "start it with the machine, or in the release phase"
            )
        parse_cron(when)
        if self.has_users:
            user, rest = _split(rest, 1)
            if user not in self.users:
                self.users.add(user)
                message = f"the user {user!r} has no counterpart: commands run as the worker's user"
                self.left_out.append(LeftOut(source, message))
        line = _command_line(rest)
        shell = "" if _is_plain(line) else ", shell=True"
        name = line if shell else shlex.join(shlex.split(line))
        return ImportedEvent(
            source=source,
            name=name,
            default_name=name,
            period=literal(when),
            task=f"command({literal(line)}{shell})",
            options={} if self.zone is None else {"tz": literal(self.zone)},
            comments=comments,
        )


def read_crontab(text: str, name: str, *, zone: str, has_users: bool = False) -> Imported:
    """Read a crontab of one user; with ``has_users`` a system's, with a user in the sixth column.

    ``name`` is the file as messages give it, ``zone`` that of the machine. ``CRON_TZ``, as cronie
    and others read it, is the zone of the lines below it. Cron sets a command no time limit, so
    the events have none.
    """
    reader = _Reader(name, has_users)
    for number, line in enumerate(text.splitlines(), start=1):
        reader.read(number, line)
    return Imported(
        zone=zone,
        events=tuple(reader.events),
        left_out=tuple(reader.left_out),
        defaults={"timeout": "-1"},
    )


def _split(text: str, count: int) -> tuple[str, str]:
    """The first ``count`` words with single spaces, and the rest."""
    words = text.split(maxsplit=count)
    if len(words) <= count:
        raise ValueError(f"{text!r} is not a time and a command")
    return " ".join(words[:count]), words[count]


def _command_line(rest: str) -> str:
    """The command, each ``\\%`` as the percent sign that it is."""
    if re.search(r"(?<!\\)%", rest):
        raise ValueError(
            "'%' has no counterpart: it ends the command and begins its standard input; write "
            "'\\%' for a percent sign, or a shell script for the input"
        )
    return rest.replace("\\%", "%")


def _is_plain(line: str) -> bool:
    first = line.split(maxsplit=1)[0]
    return bool(_PLAIN.fullmatch(line)) and "=" not in first and first not in _BUILT_IN
