"""The commands that clients send to a server; what a script runs inside is not counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis

_FROM_A_SCRIPT = b" lua]"


class Sent:
    """How many came so far."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def sent(connection: Redis) -> Iterator[Sent]:
    """Count while the block runs; what this process sends counts, too. The count is complete when
    the block has ended.
    """
    of: Any = connection.connection_pool.connection_kwargs
    counted = Sent()
    with socket.create_connection((of["host"], of["port"])) as line:
        line.sendall(b"MONITOR\r\n")
        assert line.recv(5) == b"+OK\r\n"
        thread = threading.Thread(target=_count, args=(line, counted))
        thread.start()
        try:
            yield counted
        finally:
            line.shutdown(socket.SHUT_RDWR)
            thread.join()


def _count(line: socket.socket, counted: Sent) -> None:
    # The end of the block may reset the connection.
    with line.makefile("rb") as commands, suppress(ConnectionResetError):
        for command in commands:
            if _FROM_A_SCRIPT not in command.partition(b'"')[0]:
                counted.count += 1
