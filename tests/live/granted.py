"""The users of docs/acl.md, created on a server as the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from redis import Redis

from tests.live.recording import Recording

PAGE = (Path(__file__).parents[2] / "docs" / "acl.md").read_text()

APP = "till"
"""The application under test, where the page says ``shop``."""

WORD = "word"
"""The password of the users, where the page says ``PASSWORD``."""

_COMMAND = re.compile(r"^redis-cli ACL SETUSER (?:.*\\\n)*.*$", re.MULTILINE)


class Line(NamedTuple):
    """One command of the page: the user it is about, and what it gives."""

    user: str
    rules: Sequence[str]

    @property
    def commands(self) -> set[str]:
        """The commands it allows."""
        return {rule[1:] for rule in self.rules if rule.startswith("+")}

    @property
    def patterns(self) -> set[str]:
        """The patterns of keys and channels it allows."""
        return {rule.partition("~")[2] for rule in self.rules if rule[0] in "~%"} | {
            rule[1:] for rule in self.rules if rule.startswith("&")
        }


def lines_of(user: str) -> list[Line]:
    """The lines of the page about ``user``, named there as in ``shop-clock``, in their order."""
    lines = [_line(command) for command in _COMMAND.findall(PAGE)]
    return [line for line in lines if line.user == f"{APP}-{user}"]


def grant(redis: Redis, *lines: Line) -> None:
    """Make the user of ``lines``, or give it more."""
    for line in lines:
        redis.execute_command("ACL", "SETUSER", line.user, *line.rules)  # type: ignore[no-untyped-call]


def assert_exact(line: Line, *recordings: Recording, seldom: Collection[str] = ()) -> None:
    """Nothing was denied while it was recorded, and nothing that ``line`` gives is more than was
    used; but for the commands that are ``seldom`` used, which the caller explains.
    """
    denied = [command for recording in recordings for command in recording.denied]
    assert not denied, denied
    used = set[str]().union(*(recording.commands for recording in recordings))
    needless = line.commands - used - set(seldom)
    assert not needless, f"{line.user} never uses {needless}"
    assert not used & set(seldom), f"{line.user} uses {used & set(seldom)}"
    unused = {
        pattern for pattern in line.patterns if not any(of.uses(pattern) for of in recordings)
    }
    assert not unused, f"{line.user} names no key of {unused}"


def address(url: str, user: str) -> str:
    """``url`` for one of these users."""
    return url.replace("//", f"//{APP}-{user}:{WORD}@")


def _line(command: str) -> Line:
    filled_in = command.replace("\\\n", " ").replace("PASSWORD", WORD).replace("shop", APP)
    _, _, _, user, *rules = shlex.split(filled_in)
    return Line(user, rules)
