"""The snippets of docs/wire.md enqueue a job that a worker runs to its end.

They are run as they stand on the page. The clients they need are put into ``.venv/clients`` by
``make test``, for Node and the shell; for Ruby and Go they are used where they are installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import as_text

from tests.live.environment import bare_environment
from tests.live.worker import work_off
from tests.wire.page import ROOT, snippet

CLIENTS = Path(os.environ.get("CLOCK_TEST_CLIENTS", ROOT / ".venv" / "clients"))
PATH = os.pathsep.join([str(CLIENTS / "bin"), os.environ.get("PATH", os.defpath)])

WORKERS = {
    "rq": ["-S", "json"],
    "clock": ["-w", "clock.worker.Worker", "-c", "wire_settings"],
}

worker = pytest.mark.parametrize("worker", WORKERS.values(), ids=WORKERS.keys())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a worker finds the tasks of this repository, and settings that say JSON."""
    shutil.copytree(ROOT / "tasks", tmp_path / "tasks")
    (tmp_path / "wire_settings.py").write_text("SERIALIZER = 'json'\n")
    return tmp_path


@worker
def test_from_the_shell(worker: list[str], redis: Redis, server_url: str, folder: Path) -> None:
    if shutil.which("redis-cli", path=PATH) is None:
        pytest.skip("no redis-cli here, nor could make test fetch one")
    _run(["sh", "-c", snippet("sh")], folder, server_url)
    _is_worked_off("var/from-redis-cli", worker, redis, server_url, folder)


@worker
def test_from_node(worker: list[str], redis: Redis, server_url: str, folder: Path) -> None:
    if shutil.which("node") is None or not (CLIENTS / "node_modules" / "redis").is_dir():
        pytest.skip("no Node here, or make test could not fetch its package redis")
    (folder / "enqueue.mjs").write_text(snippet("js"))
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    _run(["node", "enqueue.mjs"], folder, server_url)
    _is_worked_off("var/from-node", worker, redis, server_url, folder)


@worker
def test_from_ruby(worker: list[str], redis: Redis, server_url: str, folder: Path) -> None:
    if not _succeeds(["ruby", "-e", "require 'redis'"], folder):
        pytest.skip("no Ruby here, or no gem redis")
    (folder / "enqueue.rb").write_text(snippet("ruby"))
    _run(["ruby", "enqueue.rb"], folder, server_url)
    _is_worked_off("var/from-ruby", worker, redis, server_url, folder)


@worker
def test_from_go(worker: list[str], redis: Redis, server_url: str, folder: Path) -> None:
    (folder / "go").mkdir()
    (folder / "go" / "main.go").write_text(snippet("go"))
    module = ["go", "mod", "init", "enqueue"]
    if not (_succeeds(module, folder / "go") and _succeeds(["go", "build"], folder / "go")):
        pytest.skip("no Go here, or no module redigo in its cache")
    _run([str(folder / "go" / "enqueue")], folder, server_url)
    _is_worked_off("var/from-go", worker, redis, server_url, folder)


def _succeeds(command: Sequence[str], folder: Path) -> bool:
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(command, cwd=folder, env=_environ(), capture_output=True, check=False)
    return done.returncode == 0


def _run(command: Sequence[str], folder: Path, url: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**_environ(), "REDIS_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERR" not in done.stdout, done.stdout


def _environ() -> dict[str, str]:
    # No test asks the network: Go finds its modules in the cache of this machine or not at all.
    go = shutil.which("go")
    asked = [] if go is None else [go, "env", "GOMODCACHE"]
    cache = asked and subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    offline = {
        "GOPROXY": f"file://{cache.strip()}/cache/download" if cache else "off",
        "GOSUMDB": "off",
        "GOFLAGS": "-mod=mod",
    }
    return {**bare_environment(), "PATH": PATH, **offline}


def _is_worked_off(written: str, worker: list[str], redis: Redis, url: str, folder: Path) -> None:
    """The one job on the queue is run to its end by a real worker, and did its work."""
    (queued,) = map(as_text, redis.lrange("rq:queue:default", 0, -1))
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}
    job = Job.fetch(queued, connection=redis, serializer=JSONSerializer)
    assert job.get_status() == JobStatus.QUEUED
    assert abs((datetime.now(UTC) - job.created_at).total_seconds()) < 60
    printed = work_off(folder, url, "default", options=worker)
    assert job.get_status(refresh=True) == JobStatus.FINISHED, printed
    assert len(list((folder / written).glob("*.txt"))) == 1
    assert 0 < redis.ttl(f"rq:job:{job.id}") <= 500
