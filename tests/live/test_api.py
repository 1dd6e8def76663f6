"""The API of a real ``clock web``, asked over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from redis import Redis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.port import free_port
from tests.live.server import Server
from tests.live.waiting import wait_for

WHO = {"Authorization": "Bearer a-token-of-tests"}
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 4
"""Requests to each operation; tests/web sends more, without a network in between."""


@pytest.fixture
def web(server: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of ``clock web`` with actions and one task that may be enqueued."""
    port = free_port()
    command = [sys.executable, "-m", "clock", "web", "--port", str(port), "--url", server.url]
    log = tmp_path / "web.out"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--allow-actions", "--allow", "tasks.x"],
            cwd=tmp_path,
            env=bare_environment() | {"CLOCK_WEB_TOKEN": "a-token-of-tests"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=WHO) as client:
            wait_for("clock web answers", lambda: _answers(client))
            yield client
    finally:
        process.terminate()
        process.wait(timeout=15)
        sys.stdout.write(log.read_text())


def test_a_program_runs_an_event_and_enqueues_what_it_may(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock, web: httpx.Client
) -> None:
    start_clock(write_schedule("every('day', 'tasks.y', name='daily')"))
    wait_for("the clock is seen", lambda: web.get("/api/v1/status").json()["healthy"])
    assert web.get("/healthz").json() == {"state": "ok"}
    run = web.post("/api/v1/events/daily/run", headers={"Idempotency-Key": "k"})
    assert run.status_code == 201
    body = {"task": "tasks.x", "args": [1]}
    assert web.post("/api/v1/jobs", json=body).status_code == 201
    assert web.post("/api/v1/jobs", json=body | {"task": "tasks.y"}).status_code == 403
    assert redis.llen("rq:queue:default") == 2


def test_every_response_matches_the_description(web: httpx.Client) -> None:
    schema = schemathesis.openapi.from_url(f"{web.base_url}/api/v1/openapi.json", headers=WHO)
    asked = 0

    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(headers=WHO, checks=CHECKS)

    for described in schema.get_all_operations():
        operation: Any = described
        if operation.ok().path.endswith("/stream"):  # it goes on for ever
            continue
        case = operation.ok().as_strategy(generation_mode=GenerationMode.POSITIVE)
        settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )(given(case=case)(ask))()  # fmt: skip
    assert asked > 40


def test_the_server_goes_away_and_comes_back(server: Server, web: httpx.Client) -> None:
    server.stop()
    answer = web.get("/api/v1/events")
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert web.get("/readyz").status_code == 503
    server.start()
    wait_for("it answers again", lambda: web.get("/api/v1/events").status_code == 200)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
