"""A database whose rows are a source of events: SQLite's, or a PostgreSQL server of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import create_engine, text

from tests.live.port import free_port

SOURCE = """\
from clock import source, timezone
from sqlalchemy import create_engine, text

timezone("UTC")
engine = create_engine({url!r}, pool_pre_ping=True)


def targets():
    with engine.connect() as connection:
        for target in connection.execute(text("SELECT * FROM targets")).mappings():
            yield {{
                "name": target["name"],
                "every": target["period"],
                "task": target["task"],
                "args": [target["name"]],
                "catch_up": "all",
            }}


source("targets", targets, every="1 second", tasks=["tasks.*"])
"""


class Database(Protocol):
    """A database with a table ``targets``."""

    url: str

    def stop(self) -> None:
        """Let it answer nobody."""

    def start(self) -> None:
        """Let it answer again."""

    def close(self) -> None:
        """Stop it for good."""


class Targets:
    """The rows, as another program edits them."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, pool_pre_ping=True)
        columns = "name VARCHAR(50) PRIMARY KEY, period VARCHAR(50), task VARCHAR(50)"
        self._run(f"CREATE TABLE targets ({columns})")

    def insert(self, name: str, period: str, task: str = "tasks.x") -> None:
        """A new row."""
        values = {"name": name, "period": period, "task": task}
        self._run("INSERT INTO targets VALUES (:name, :period, :task)", values)

    def change(self, name: str, period: str) -> None:
        """Another period."""
        self._run(
            "UPDATE targets SET period = :period WHERE name = :name",
            {"name": name, "period": period},
        )

    def delete(self, name: str) -> None:
        """One row less."""
        self._run("DELETE FROM targets WHERE name = :name", {"name": name})

    def _run(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), values or {})

    def close(self) -> None:
        """Drop the connections."""
        self._engine.dispose()


class Sqlite:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "targets.sqlite"
        self._lock: sqlite3.Connection | None = None
        self.url = f"sqlite:///{self._file}?timeout=0.2"

    def stop(self) -> None:
        self._lock = sqlite3.connect(self._file, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def close(self) -> None:
        self.start()


class PostgreSql:
    """A server."""

    def __init__(self) -> None:
        folder = postgresql()
        assert folder is not None
        self._bin = folder
        # The server does not run as root, and may not enter the folder of a test.
        self._user = "postgres" if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="clock-postgresql-"))
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        self._port = free_port()
        self._run("initdb", "--auth=trust", "--username=clock", "--no-sync", "--encoding=UTF8")
        self.url = f"postgresql+pg8000://clock@127.0.0.1:{self._port}/postgres"
        self.start()

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self._folder}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), "-D", str(self._folder / "data"), *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


def postgresql() -> Path | None:
    """Where the programs of an installed PostgreSQL are, the newest; None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve())
    return folders[0].parent if folders else None
