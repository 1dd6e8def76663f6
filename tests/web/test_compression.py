"""Less to send: compression, and what a client has already."""

from __future__ import annotations

import pytest
from redis import Redis

from clock.ledger.pauses import Pause, pause
from clock.web import feed
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import TOKEN, StartWeb
from tests.web.requests import Web
from tests.web.serving import listening, serving

GZIP = {"accept-encoding": "gzip"}
PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/events", "/api/v1/openapi.json", "/static/main.js", "/metrics"]
)
def test_what_is_large_is_compressed_for_who_can_read_it(
    web: Web, clock: Watched, path: str
) -> None:
    answer, plain = web.get(path, headers=GZIP), web.get(path, headers=PLAIN)
    is_large = len(plain.content) >= 500
    assert answer.headers.get("content-encoding") == ("gzip" if is_large else None)
    assert "content-encoding" not in plain.headers
    assert answer.text[:200] == plain.text[:200]
    if is_large:
        assert int(answer.headers["content-length"]) < len(plain.content)
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_the_stream_is_neither_compressed_nor_held_back(
    redis: Redis, start_web: StartWeb, clock: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "READ_EVERY", 0.05)
    headers = GZIP | {"authorization": f"Bearer {TOKEN}"}
    with serving(start_web().app) as url, listening(url, headers=headers) as messages:
        assert "content-encoding" not in messages.response.headers
        pause(redis, "test", "ten", Pause(until=None, reason="", by="me", since=int(START)))
        assert messages.next().kind == "event"


def test_a_response_that_did_not_change_is_not_sent_again(
    redis: Redis, web: Web, clock: Watched
) -> None:
    first = web.get("/api/v1/events")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        again = web.get("/api/v1/events", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    pause(redis, "test", "ten", Pause(until=None, reason="", by="me", since=int(START)))
    changed = web.get("/api/v1/events", headers={"if-none-match": etag})
    assert (changed.status_code, changed.headers["etag"] == etag) == (200, False)


def test_a_compressed_response_has_the_same_etag(web: Web, clock: Watched) -> None:
    etags = {web.get("/api/v1/events", headers=headers).headers["etag"] for headers in (GZIP, {})}
    assert len(etags) == 1
    answer = web.get("/api/v1/events", headers=GZIP | {"if-none-match": etags.pop()})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/openapi.json"])
def test_the_description_is_not_sent_again(web: Web, path: str) -> None:
    first = web.get(path)
    again = web.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_what_changes_something_has_no_etag(web: Web, clock: Watched) -> None:
    answer = web.post("/api/v1/events/ten/pause", headers={"if-none-match": "*"})
    assert (answer.status_code, answer.headers.get("etag")) == (200, None)
    assert answer.headers["cache-control"] == "no-store"
