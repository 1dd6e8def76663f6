"""A primary and its replica under three sentinels, and the operator who looks after them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.faults.lineage import Lineage
from benchmarks.faults.reasons import parsed
from benchmarks.faults.sentinels import MASTER, Sentinels
from benchmarks.faults.server import Server
from clock import keys
from clock.decision import Kind

OPTIONS = {
    # A primary takes no writes while its replica is away.
    "min-replicas-to-write": "1",
    "repl-diskless-sync-delay": "0",
}

PAUSE = 0.1
"""Seconds between two looks of the operator."""


class Pair:
    """Two servers that stand in for each other. Faults happen to the one that is the primary."""

    def __init__(self, folder: Path, app: str) -> None:
        self.version = ""
        self.kills = 0
        self.suspensions = 0
        self.failovers = 0
        """How often the sentinels named another primary."""

        self.forgotten: dict[str, dict[int, Kind]] = {}
        """Event -> instant -> what an overthrown primary had decided, when it was overthrown."""

        self.lineage = Lineage()
        self._primary = Server(folder / "first", OPTIONS)
        self._replica = Server(folder / "second", OPTIONS)
        self.sentinels = Sentinels(folder, self._primary.port)
        self._decided = keys.decided(app)
        self._down: Server | None = None
        self._suspended: Server | None = None
        self._looked = 0.0
        self._is_settled = False
        self._is_overthrown = False

    @property
    def url(self) -> str:
        """Of the primary, as far as the operator knows."""
        return self._primary.url

    @property
    def settings(self) -> dict[str, Any]:
        """What a settings module calls ``SENTINEL``."""
        instances = [("127.0.0.1", port) for port in self.sentinels.ports]
        return {"INSTANCES": instances, "MASTER_NAME": MASTER}

    @property
    def is_well(self) -> bool:
        """Whether the replica follows the primary that all sentinels name."""
        return self._is_settled and self._down is None and self._suspended is None

    def start(self) -> None:
        """Start all of it; later on, the server that was killed, as what it was."""
        if self._down is not None:
            server, self._down = self._down, None
            server.start()
        elif not self.version:
            self._primary.start()
            self._replica.start()
            _follow(self._replica, self._primary)
            self.sentinels.start()
            deadline = time.monotonic() + 30
            while not self.sentinels.are_ready:
                if time.monotonic() > deadline:
                    raise TimeoutError("the sentinels do not find each other")
                time.sleep(PAUSE)
            self.version = self._primary.version

    def kill(self) -> None:
        """Kill the primary."""
        if self._down is None:
            self._is_settled = False
            self._down = self._primary
            self._primary.kill()
            self.kills += 1

    def suspend(self) -> None:
        """Suspend the primary."""
        self._suspend(self._primary)
        self.suspensions += 1

    def suspend_replica(self) -> None:
        """Suspend the replica, so that it falls behind."""
        self._suspend(self._replica)

    def resume(self) -> None:
        """Let the one that is suspended go on."""
        if self._suspended is not None:
            self._suspended.resume()
            self._suspended = None

    def close(self) -> None:
        """End all of them."""
        self.resume()
        self.sentinels.close()
        for server in (self._primary, self._replica):
            server.close()

    def tend(self) -> None:
        """Look whether the sentinels named another primary, and have the old one follow it.

        They would do so themselves after some ten seconds, in which this pair took no writes.
        """
        if time.monotonic() - self._looked < PAUSE or not self.version:
            return
        self._looked = time.monotonic()
        if self.sentinels.primary() == self._replica.port:
            self._primary, self._replica = self._replica, self._primary
            self._is_settled, self._is_overthrown = False, True
            self.failovers += 1
        try:
            self._is_settled = self._settle()
        except (RedisError, OSError):
            self._is_settled = False

    def _settle(self) -> bool:
        """Whether the pair is as it should be; where it is not, do what can be done now."""
        infos = {
            server.port: _replication(server)
            for server in (self._primary, self._replica)
            if server not in (self._down, self._suspended)
        }
        is_named = self.sentinels.primary() == self._primary.port
        for port, replication in infos.items():
            primary = is_named and port == self._primary.port
            self.lineage.note(port, replication, is_named=primary)
        if not is_named or len(infos) < 2:
            return False
        of_primary, of_replica = infos[self._primary.port], infos[self._replica.port]
        if "master" == of_primary["role"] == of_replica["role"]:
            # It may be one that a sentinel promotes now, and that none names yet.
            if self._is_overthrown:
                self._remember(self._replica)
                _follow(self._replica, self._primary)
            return False
        self._is_overthrown = False
        state = (of_primary["role"], of_replica.get("master_link_status"))
        return state == ("master", "up") and of_primary["connected_slaves"] == 1

    def _remember(self, server: Server) -> None:
        """What an overthrown primary had decided, before it forgets."""
        with _connect(server) as connection:
            records = parsed(connection.hgetall(self._decided))
        for event, record in records.items():
            kinds = self.forgotten.setdefault(event, {})
            for decision in record.history:
                kinds |= dict.fromkeys(range(decision.first, decision.last + 1), decision.kind)

    def _suspend(self, server: Server) -> None:
        self._is_settled = False
        self._suspended = server
        server.suspend()


def _connect(server: Server) -> Redis:
    return Redis.from_url(server.url, socket_timeout=2, socket_connect_timeout=2)


def _replication(server: Server) -> Mapping[str, Any]:
    with _connect(server) as connection:
        info: Mapping[str, Any] = connection.info("replication")
        return info


def _follow(server: Server, primary: Server) -> None:
    with _connect(server) as connection:
        connection.replicaof("127.0.0.1", primary.port)
