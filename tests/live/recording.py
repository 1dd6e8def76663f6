"""What the users of a server did between two moments: commands, keys, and what they were denied."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from redis import Redis

FREE = {"auth", "hello"}
"""Commands that a server lets everybody send."""

_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"')


@dataclass
class Recording:
    """What was sent, by scripts too; complete when the recording has ended."""

    commands: set[str] = field(default_factory=set)
    arguments: set[str] = field(default_factory=set)
    denied: list[str] = field(default_factory=list)

    def saw(self, word: str) -> bool:
        """Whether a command, named as it was sent, or an argument is there by now."""
        return word in self.arguments

    def uses(self, pattern: str) -> bool:
        """Whether a key or channel that ``pattern`` allows was named."""
        return any(fnmatchcase(argument, pattern) for argument in self.arguments)


@contextmanager
def recorded(redis: Redis, *ours: str) -> Iterator[Recording]:
    """Record while the block runs. ``ours`` are commands that the test itself sends meanwhile over
    a connection without limits, and that no user under test may be given.
    """
    recording = Recording()
    redis.execute_command("ACL", "LOG", "RESET")  # type: ignore[no-untyped-call]
    with _monitored(redis, recording):
        redis.config_resetstat()
        yield recording
        statistics: dict[str, dict[str, Any]] = redis.info("commandstats")
    sent = {name.removeprefix("cmdstat_") for name, of in statistics.items() if of["calls"]}
    recording.commands = sent - FREE - {"config|resetstat", "monitor", *ours}
    for entry in redis.acl_log():
        who, why, what = (entry[name] for name in ("username", "reason", "object"))
        recording.denied.append(f"{who}: {why} {what} ({entry['context']})")


@contextmanager
def _monitored(redis: Redis, recording: Recording) -> Iterator[None]:
    of = redis.connection_pool.connection_kwargs
    with socket.create_connection((of["host"], of["port"])) as line:
        line.sendall(b"MONITOR\r\n")
        assert line.recv(5) == b"+OK\r\n"
        thread = threading.Thread(target=_read, args=(line, recording.arguments))
        thread.start()
        try:
            yield
        finally:
            line.shutdown(socket.SHUT_RDWR)
            thread.join()


def _read(line: socket.socket, arguments: set[str]) -> None:
    with line.makefile("rb") as sent:
        for command in sent:
            for argument in _ARGUMENT.findall(command):
                if len(argument) < 200:
                    arguments.add(argument.decode("utf-8", "replace"))
