"""Bodies of requests, under whatever server the application is mounted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping

import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message

from clock.web import guard
from tests.web.conftest import TOKEN, StartWeb

FORM = "application/x-www-form-urlencoded"
JOB = json.dumps({"task": "tests.jobs.working.say", "args": ["x"]}).encode()

Ask = Callable[..., list[int]]
Options = Mapping[str, str]


@pytest.fixture
def ask(start_web: StartWeb) -> Ask:
    """Send some bodies, all at once, to the application under a prefix; gives the statuses. Where
    a part is None, nothing comes any more.
    """
    app = Starlette(routes=[Mount("/clock", start_web().app)])

    def sent(path: str, *bodies: _Body, token: str = TOKEN, **options: str) -> list[int]:
        async def all_of_them() -> list[int]:
            return await asyncio.gather(*(_one(app, path, body, token, options) for body in bodies))

        return asyncio.run(all_of_them())

    return sent


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/run", "/delete-all", "/nothing"])
def test_no_body_is_read_without_credentials(ask: Ask, path: str) -> None:
    body = _Body([None])
    assert ask(path, body, token="another token") == [401]
    assert body.read == 0


def test_a_body_that_does_not_arrive_times_out(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "READ_WITHIN", 0.1)
    assert ask("/api/v1/jobs", _Body([JOB[:5], None])) == [408]


def test_an_incomplete_body_is_rejected(ask: Ask, redis: Redis) -> None:
    assert ask("/api/v1/jobs", _Body([JOB]), is_cut="yes") == [400]
    assert redis.llen("rq:queue:default") == 0


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/api/v1/jobs", "application/json", guard.LARGEST),
        ("/run", FORM, guard.LARGEST_FORM),
        ("/login", FORM, guard.LARGEST_SIGN_IN),
    ],
)
def test_a_body_is_not_read_beyond_its_limit(ask: Ask, path: str, kind: str, most: int) -> None:
    part = b"x" * 4096
    body = _Body([part] * (most // len(part) + 10))
    assert ask(path, body, kind=kind) == [413]
    assert body.read <= most // len(part) + 1
    body = _Body([part])
    assert ask(path, body, kind=kind, length=str(most + 1)) == [413]
    assert body.read == 0


def test_the_memory_of_all_bodies_together_is_bounded(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "HELD", 3 * len(JOB))
    monkeypatch.setattr(guard, "READ_WITHIN", 0.5)
    slow = [_Body([JOB, None]) for _ in range(5)]
    assert sorted(ask("/api/v1/jobs", *slow)) == [408, 408, 408, 503, 503]
    assert ask("/api/v1/jobs", _Body([JOB])) == [201]


class _Body(list[bytes | None]):
    """The parts of a body; ``read`` are how many of them were."""

    read = 0


async def _one(app: Starlette, path: str, body: _Body, token: str, options: Options) -> int:
    """One request; its status."""
    statuses: list[int] = []

    async def receive() -> Message:
        if body.read == len(body):
            return {"type": "http.disconnect"}
        part = body[body.read]
        body.read += 1
        if part is None:
            await asyncio.Event().wait()
        is_last = body.read == len(body) and not options.get("is_cut")
        return {"type": "http.request", "body": part, "more_body": not is_last}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = {"host": "web.test", "authorization": f"Bearer {token}"}
    headers["content-type"] = options.get("kind", "application/json")
    headers |= {"content-length": options["length"]} if "length" in options else {}
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/clock{path}",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return statuses[0]
