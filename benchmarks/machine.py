"""What a run was measured on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from redis import Redis

SHOWN = (
    *("rq", "redis", "hiredis", "croniter", "cronsim"),
    *("rq-scheduler", "APScheduler", "celery", "dramatiq", "huey", "saq"),
)
"""Distributions whose versions matter to the figures."""


def machine(url: str) -> Iterator[tuple[str, str]]:
    """The machine, the server at ``url`` and the versions, each with its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield "machine", f"{os.cpu_count()} cores, {_processor()}, {memory:.0f} GiB"
    yield "system", f"{platform.system()} {platform.release()}"
    yield "Python", f"{platform.python_version()}, {sys.implementation.name}"
    with Redis.from_url(url) as connection:
        about = connection.info("server")
    server = about.get("valkey_version") or about["redis_version"]
    yield "server", f"Valkey {server} on the same machine, over TCP, nothing kept on disk"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in SHOWN)


def load() -> float:
    """Processes that wanted a processor in the last minute, this one among them."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
