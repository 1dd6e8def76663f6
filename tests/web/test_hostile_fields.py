"""Hostile values in every field that a server has, whatever keys there are.

The fields are found on the server of a painted scene, the addresses in the routes and the
operations: what is added later is covered by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from starlette.routing import Route

from clock.runs.output import RunOutput, write_output
from clock.runs.run import RunOutcome
from clock.web import pages
from clock.web.api import OPERATIONS
from tests.browser.scene import APP, FAILED, FAILING, PRINTING, ROW, paint
from tests.browser.web_process import WebProcess
from tests.live.memory import MEGABYTE, peak
from tests.web.fields import HUGE, MARKUP, Field, fields, hostile

ROUNDS = 12
SHARE = 0.12
"""Of all fields, how many are hostile at once: with more, readers stop at the first."""

_PATHS = [
    route.path
    for route in pages.routes
    if isinstance(route, Route) and route.methods and "GET" in route.methods
]

GROWTH = 150 * MEGABYTE
"""Bytes by which the process may grow over all rounds, after it answered everything once."""


@pytest.fixture
def web(server_url: str, redis: Redis, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of ``clock web`` over a painted scene."""
    paint(redis, tmp_path)
    _more(redis)
    process = WebProcess(tmp_path, server_url, "--allow-actions", "--show-arguments")
    try:
        with httpx.Client(base_url=process.address(), timeout=60) as client:
            client.headers["x-pid"] = str(process.process.pid)
            yield client
    finally:
        process.clean_up()


def test_no_value_of_any_field_makes_a_page_fail(web: httpx.Client, redis: Redis) -> None:
    everything, addresses = fields(redis), [*_addresses()]
    assert len(everything) > 400
    kept: dict[bytes, Any] = {key: redis.dump(key) for key in redis.scan_iter(count=1000)}
    complete = [address for address in addresses if address not in _PATHS]
    assert _faults(web, complete, least=400) == {}
    pid = int(web.headers["x-pid"])
    before = peak(pid)
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        put = _spoil(redis, everything, chance)
        assert _faults(web, addresses, least=500) == {}, (seed, put)
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.flushdb()
            for key, dump in kept.items():
                pipeline.restore(key, 0, dump, replace=True)
            pipeline.execute()
    assert peak(pid) - before < GROWTH


def _spoil(redis: Redis, everything: list[Field], chance: random.Random) -> list[Any]:
    chosen = [field for field in everything if chance.random() < SHARE]
    huge = chance.choice(chosen)
    put = []
    for field in chosen:
        value = HUGE if field is huge else hostile(field.now, chance)
        # Another field has given the key another type already.
        with suppress(ResponseError):
            field.put(redis, value)
            put.append((field.kind, value[:40]))
    return put


def _faults(web: httpx.Client, addresses: list[str], *, least: int) -> dict[str, str]:
    """What is wrong with the answers: a status of at least ``least``, or markup of a value."""
    faults = {}
    for address in addresses:
        answer = web.get(address)
        # That no clock is alive, or that an event is overdue, is what these are asked for.
        is_health = address in {"/healthz", "/readyz"} and answer.status_code == 503
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status_code >= least and not is_health:
            faults[address] = f"{answer.status_code} {answer.text[:300]}"
        elif is_page and MARKUP in answer.content:
            faults[address] = "markup of a value"
    return faults


def _addresses() -> Iterator[str]:
    asked = {
        "event": FAILING, "name": FAILING, "queue": "low", "id": f"{FAILED}0", "of": "event",
        "span": "day",
    }  # fmt: skip
    yield from _PATHS
    for path in _PATHS:
        yield f"{path}?{urlencode(asked)}"
    for state in ("queued", "started", "scheduled", "deferred", "finished", "failed", "canceled"):
        yield f"/jobs?state={state}&queue=default"
        yield f"/api/v1/jobs?state={state}&queue=*"
    yield f"/output?id={PRINTING}"
    yield f"/event?name={FAILING}&window=week"
    yield "/?group=prefix&open=feeds&sort=state"
    yield from ("/metrics", "/healthz", "/readyz", "/api/v1/openapi.json")
    # Only a stored row can be read as one.
    names = {"{name}/row": f"{ROW}/row", "{name}": FAILING, "{id}": f"{FAILED}0"}
    for operation in OPERATIONS:
        if operation.method == "GET" and operation.streams is None:
            path = operation.path
            for name, value in names.items():
                path = path.replace(name, value)
            yield f"/api/v1{path}"


def _more(redis: Redis) -> None:
    """What the scene has none of: the output of a job that is kept, and other registries."""
    output = RunOutput(
        job=f"{FAILED}0", attempt=1, event=None, outcome=RunOutcome.FAILED, ended=time.time(),
        text="a line\n", written=7,
    )  # fmt: skip
    write_output(redis, APP, output, 2**20)
    queue = Queue("default", connection=redis)
    for kind in ("scheduled", "deferred", "canceled"):
        job = queue.enqueue("tests.jobs.working.say", kind)
        redis.lrem(queue.key, 0, job.id)
        redis.hset(job.key, "status", kind)
        redis.zadd(f"rq:{kind}:default", {job.id: 4e9})
