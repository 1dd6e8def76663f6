"""Requests that were once answered with 500, or with more than their sender may know."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.live.port import free_port
from tests.loop.heartbeat import Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

SAY = "tests.jobs.working.say"
DEPTHS = [10, 90, 110, 700, 100_000]

Nest = Callable[[int], str]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "nest",
    [lambda depth: "[" * depth + "]" * depth, lambda depth: '{"a":' * depth + "1" + "}" * depth],
    ids=["lists", "objects"],
)
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k"}], ids=["", "key"])
def test_nested_json_is_enqueued_or_rejected(
    start_web: StartWeb, redis: Redis, depth: int, nest: Nest, key: dict[str, str]
) -> None:
    web = start_web(arguments=True)
    body = f'{{"task": "{SAY}", "args": [{nest(depth)}]}}'
    headers = {"content-type": "application/json", **key}
    answer = web.post("/api/v1/jobs", content=body, headers=headers)
    assert answer.status_code == (201 if depth < 99 else 400)
    assert redis.llen("rq:queue:default") == (answer.status_code == 201)
    if answer.status_code == 201:
        assert web.get(f"/api/v1/jobs/{answer.json()['id']}").status_code == 200
        assert web.get(f"/job?id={answer.json()['id']}").status_code == 200


@pytest.mark.parametrize("depth", [90, 300, 600, 900])
def test_a_job_with_nested_arguments_is_shown(
    start_web: StartWeb, redis: Redis, depth: int
) -> None:
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    data = zlib.compress(json.dumps([SAY, None, [nested], {}]).encode())
    redis.hset("rq:job:deep", mapping={"data": data, "origin": "default", "status": "queued"})
    redis.rpush("rq:queue:default", "deep")
    web = start_web(arguments=True, serializer="json")
    for path in ("/api/v1/jobs/deep", "/job?id=deep", "/jobs?queue=default", "/api/v1/jobs"):
        assert web.get(path).status_code == 200


def test_nested_json_is_rejected_by_every_operation(web: Web, clock: Watched) -> None:
    for path in ("/events/ten/pause", "/jobs/requeue", "/jobs", "/events/ten/resume"):
        for body in ("[" * 700 + "]" * 700, '{"queue":' + "[" * 700 + "]" * 700 + "}"):
            headers = {"content-type": "application/json"}
            answer = web.post(f"/api/v1{path}", content=body, headers=headers)
            assert answer.status_code in {400, 422}, (path, answer.text)


@pytest.mark.parametrize(
    "back",
    [
        "/jobs?" + "&".join(f"p{number}=x" for number in range(25)),
        "/jobs?" + "&".join(f"p{number}=x" for number in range(3000)),
        "/?q=%ff%00",
        "/?q=\udcff",
        "/event?name=%",
        "/?&&&;=",
        "?",
    ],
)
def test_an_action_without_scripts_redirects_whatever_the_page_was(
    web: Web, clock: Watched, redis: Redis, back: str
) -> None:
    before = redis.llen("rq:queue:default")
    fields = {"event": "ten", "back": back.encode(errors="surrogateescape")}
    answer = web.post("/run", data=fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].endswith("done=run&of=ten")
    assert len(answer.headers["location"]) < 3000
    assert redis.llen("rq:queue:default") == before + 1


@pytest.mark.parametrize(
    "path",
    ["/queues/", "/event/", "/static", "/api/v1", "/api/v1/", "/api/v1/status/", "/metrics/"],
)
@pytest.mark.parametrize("prefix", ["", "/clock"])
def test_no_redirect_names_the_host_of_the_request(web: Web, path: str, prefix: str) -> None:
    mounted = Web(Starlette(routes=[Mount("/clock", web.app)]), web._headers) if prefix else web
    answer = mounted.get(prefix + path, headers={"host": "evil.test"})
    assert answer.status_code == 404
    assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/", None),
        ("GET", "/api/v1/status", None),
        ("GET", "/queues", None),
        ("GET", "/metrics", None),
        ("POST", "/api/v1/jobs", {"task": SAY}),
        ("POST", "/api/v1/events/ten/run", None),
        ("POST", "/api/v1/events/ten/pause", {}),
        ("POST", "/api/v1/jobs/delete", {"queue": "default"}),
        ("DELETE", "/api/v1/jobs/x", None),
    ],
)
def test_an_error_does_not_name_the_server_but_the_log_does(
    start_web: StartWeb, caplog: pytest.LogCaptureFixture, method: str, path: str, body: object
) -> None:
    port = free_port()
    away = Redis(port=port, retry=Retry(NoBackoff(), 0))
    with caplog.at_level(logging.WARNING, "clock"):
        answer = start_web(away).request(method, path, json=body)
    assert answer.status_code == (200 if path == "/metrics" else 503)
    assert not {str(port), "127.0.0.1", "localhost"} & set(answer.text.replace(":", " ").split())
    assert str(port) not in answer.text
    if path != "/metrics":
        detail = "the server is away or refuses: ConnectionError; see the log"
        assert detail in answer.text
        assert str(port) in json.dumps([record.__dict__["fields"] for record in caplog.records])
