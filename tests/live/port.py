"""A port for a server that is stopped and started again."""

from __future__ import annotations

import secrets
import socket

LOWEST, HIGHEST = 17_000, 32_000
"""Below what systems hand out to outgoing connections. There, while the server is down, somebody
else's connection might take its port, and a client of this machine could even reach itself."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses now and no connection will be given."""
    # Not `random`, which is seeded alike in every process of a test run.
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
