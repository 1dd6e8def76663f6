"""A port for a server that is stopped and started again."""

from __future__ import annotations

import secrets
import socket

LOWEST, HIGHEST = 17_000, 32_000
"""Below what systems hand out to outgoing connections. There, while the server is down, somebody
else's connection might take its port, and a client of this machine could even reach itself."""


BUS = 10_000
"""How much higher the second port of a node of a cluster is."""


def free_port(*, of_node: bool = False) -> int:
    """A port of the loopback interface that nobody uses now and no connection will be given; and
    so is the second port ``of_node``.
    """
    ports = (0, BUS) if of_node else (0,)
    # Not `random`, which is seeded alike in every process of a test run.
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - ports[-1] - LOWEST)
        if all(_is_free(port + more) for more in ports):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
