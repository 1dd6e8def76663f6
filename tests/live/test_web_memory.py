"""The memory of ``clock web`` when it reads data that was made to exhaust it."""

from __future__ import annotations

import pickle
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from tests.browser.web_process import WebProcess
from tests.live.memory import MEGABYTE, peak
from tests.live.server import Server

FIELDS = b"\x80\x04]r\xff\xff\xff\x03."
"""Nine bytes of a pickle, for which half a gigabyte is taken."""

JOBS = 10


def _zeros() -> bytes:
    """A thousandth of 250 megabytes, compressed."""
    stream = zlib.compressobj(9)
    return b"".join(stream.compress(bytes(MEGABYTE)) for _ in range(250)) + stream.flush()


def _met_often() -> bytes:
    """A call in some hundred bytes, whose lists are a billion once they are written out."""
    lists: list[Any] = []
    for _ in range(9):
        lists = [lists] * 10
    return pickle.dumps(("x", None, lists, {}))


@pytest.fixture
def web(server: Server, tmp_path: Path) -> Iterator[WebProcess]:
    """``clock web`` that shows arguments."""
    started = WebProcess(tmp_path, server.url, "--show-arguments")
    started.address()
    yield started
    started.clean_up()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("meta", lambda: FIELDS),
        ("data", lambda: FIELDS),
        ("data", lambda: zlib.compress(FIELDS)),
        ("data", _zeros),
        ("data", _met_often),
        ("exc_string", lambda: b64encode(_zeros())),
    ],
    ids=["meta", "data", "compressed pickle", "compressed zeros", "met often", "error"],
)
def test_a_small_request_takes_little_memory(
    web: WebProcess, redis: Redis, field: str, make: Callable[[], bytes]
) -> None:
    value = make()
    for number in range(JOBS):
        fields: dict[Any, Any] = {
            b"status": b"failed",
            b"origin": b"default",
            b"created_at": b"2026-01-01T00:00:00Z",
        }
        redis.hset(f"rq:job:{number}", mapping={**fields, b"data": b"x", field.encode(): value})
        redis.xadd(f"rq:results:{number}", {b"type": b"2", field.encode(): value})
        redis.zadd("rq:failed:default", {str(number): 10**12})
    redis.sadd("rq:queues", "rq:queue:default")
    assert httpx.get(f"{web.address()}/jobs?queue=none").status_code == 200
    before = peak(web.process.pid)
    for path in ("/queues", "/jobs?queue=default&state=failed", "/job?id=0", "/api/v1/jobs/0"):
        answer = httpx.get(f"{web.address()}{path}", timeout=30)
        assert (answer.status_code, "failed" in answer.text) == (200, True)
    assert peak(web.process.pid) - before < 60 * MEGABYTE
