"""A command in place of a task: ``command("python manage.py clearsessions")``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from clock.errors import DeclarationError

RUN = "clock.jobs.run_command.run_command"
"""The task that runs a command, by its dotted name."""

_OF_A_SHELL = {"|", "||", "&&", "&", ";", "<", ">", ">>", "2>&1", "2>"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its arguments, or a line for the shell."""

    words: tuple[str, ...]
    shell: bool = False

    @property
    def text(self) -> str:
        """The command as a person would type it."""
        return self.words[0] if self.shell else shlex.join(self.words)

    def args(self) -> tuple[object, ...]:
        """The arguments of the task that runs it."""
        return (self.words[0],) if self.shell else (list(self.words),)


def command(line: str | Sequence[str], *, shell: bool = False) -> Command:
    """A command for ``every``: a line, which is split into words, or a list of them.

    No shell reads it, unless ``shell`` is true and ``line`` a string. Raises DeclarationError
    for an empty command, and for one that only a shell would understand.
    """
    if shell:
        if not isinstance(line, str) or not line.strip():
            raise DeclarationError(f"command({line!r}, shell=True) takes one line, as a string")
        return Command((line,), shell=True)  # noqa: S604  # a person asked for it
    if isinstance(line, str):
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise DeclarationError(
                f"command({line!r}) cannot be split into words: {error}"
            ) from None
        of_a_shell = [word for word in words if word in _OF_A_SHELL or "$(" in word]
        if of_a_shell:
            raise DeclarationError(
                f"command({line!r}): no shell reads {of_a_shell[0]!r}; write shell=True for one"
            )
    else:
        words = list(line)
    if not words or not all(isinstance(word, str) for word in words) or not words[0]:
        raise DeclarationError(f"command({line!r}) takes a line, or a list of strings")
    return Command(tuple(words))
