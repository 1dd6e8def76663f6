"""A master, its replica and three sentinels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.live.valkey_process import ValkeyProcess
from tests.live.waiting import wait_for

MASTER = "mymaster"


class Sentinels:
    """Two servers, of which the sentinels say which is the master.

    The first takes no writes without its replica; the second, which shall go on alone, does.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """``environ`` goes before the environment of the second server."""
        folder.mkdir()
        self.first = ValkeyProcess(
            folder / "first", "repl-diskless-sync-delay 0", "min-replicas-to-write 1"
        )
        self.second = ValkeyProcess(
            folder / "second",
            "repl-diskless-sync-delay 0",
            f"replicaof 127.0.0.1 {self.first.port}",
            environ=environ,
        )
        self.sentinels = [
            ValkeyProcess(
                folder / f"sentinel-{number}",
                f"sentinel monitor {MASTER} 127.0.0.1 {self.first.port} 2",
                f"sentinel down-after-milliseconds {MASTER} 1500",
                f"sentinel failover-timeout {MASTER} 10000",
                is_sentinel=True,
            )
            for number in range(3)
        ]

    def start(self) -> None:
        """Start all of them, and wait until every sentinel knows the others and the replica."""
        for process in (self.first, self.second, *self.sentinels):
            process.start()
        wait_for("the sentinels know each other", self._know_all, within=20)

    def stop(self) -> None:
        """Stop those that run."""
        for process in (*self.sentinels, self.second, self.first):
            process.stop()

    def instances(self) -> list[tuple[str, int]]:
        """Where the sentinels listen."""
        return [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]

    def fail_over(self) -> None:
        """Ask for a failover, and wait until the second server is the master."""
        with Redis.from_url(self.sentinels[0].url) as sentinel:
            wait_for("a sentinel agrees", lambda: _agrees(sentinel), within=10)
        self.wait_for_master(self.second)

    def wait_for_master(self, server: ValkeyProcess) -> None:
        """Wait until every sentinel calls ``server`` the master, and it takes writes."""
        wait_for(
            "the sentinels name the new master",
            lambda: all(_master_port(sentinel) == server.port for sentinel in self.sentinels),
            within=25,
        )
        with Redis.from_url(server.url) as connection:
            wait_for("it is a master", lambda: connection.info("replication")["role"] == "master")

    def _know_all(self) -> bool:
        return all(
            (state := _state(sentinel))["num-slaves"] == 1 and state["num-other-sentinels"] == 2
            for sentinel in self.sentinels
        )


def _agrees(sentinel: Redis) -> bool:
    try:
        return bool(sentinel.sentinel_failover(MASTER))
    except RedisError:
        return False


def _state(sentinel: ValkeyProcess) -> dict[str, Any]:
    with Redis.from_url(sentinel.url) as connection:
        state: dict[str, Any] = connection.sentinel_master(MASTER)
        return state


def _master_port(sentinel: ValkeyProcess) -> int:
    port: int = _state(sentinel)["port"]
    return port
