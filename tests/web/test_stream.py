"""The event stream over HTTP, from a server in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from redis import Redis
from rq import Queue
from starlette.applications import Starlette
from starlette.routing import Mount

from clock.connection.client import connect
from clock.ledger.pauses import Pause, pause, resume
from clock.web import feed
from clock.web.access import read_access
from clock.web.api import stream
from clock.web.application import application
from tests.live.port import free_port
from tests.live.waiting import wait_for
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import TOKEN, StartWeb
from tests.web.requests import Web
from tests.web.serving import STREAM, listening, serving

WHO = {"authorization": f"Bearer {TOKEN}"}
PASSWORD = "a long password"
DATA = {"password": PASSWORD}


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "READ_EVERY", 0.05)
    monkeypatch.setattr(feed, "SHARE", 1)


@pytest.fixture
def url(start_web: StartWeb, clock: Watched) -> Iterator[str]:
    """Where the application ``test`` is served."""
    with serving(start_web().app) as address:
        yield address


def paused(redis: Redis) -> None:
    """Pause ``ten``."""
    pause(redis, "test", "ten", Pause(until=None, reason="moving", by="me", since=int(START)))


def test_each_change_is_a_message_with_the_object_of_the_api(url: str, redis: Redis) -> None:
    with listening(url, headers=WHO) as messages:
        paused(redis)
        identifier, kind, event = messages.next()
        assert (kind, event) == ("event", httpx.get(f"{url}/api/v1/events/ten", headers=WHO).json())
        assert event["paused"]["reason"] == "moving"
        Queue("other", connection=redis).enqueue("tests.jobs.working.say")
        other, kind, queues = messages.next()
        assert (kind, queues) == ("queues", httpx.get(f"{url}/api/v1/queues", headers=WHO).json())
        redis.hdel("clock:test:events", "ten")
        assert messages.next()[1:] == ("removed", {"name": "ten"})
        assert messages.next().kind == "status"
        assert len({identifier, other}) == 2


def test_only_the_types_that_were_asked_for_are_sent(url: str, redis: Redis) -> None:
    with listening(url, "changes", headers=WHO) as messages:
        paused(redis)
        _, kind, data = messages.next()
        assert (kind, data["names"]) == ("changes", ["ten"])
        assert (data["queues"], data["status"], data["attention"]) == (False, False, 1)
        assert data["now"] == "2027-01-15T08:00:30.000Z"
        Queue("other", connection=redis).enqueue("tests.jobs.working.say")
        _, _, later = messages.next()
        assert (later["names"], later["queues"]) == ([], True)
        assert later["revision"] == data["revision"] + 1


@pytest.mark.parametrize("types", ["", "odd", "event,", "event,odd", "reset"])
def test_an_unknown_type_is_rejected(web: Web, types: str) -> None:
    assert web.get(STREAM, params={"types": types}).status_code == 400


def test_what_was_missed_is_sent_even_if_nobody_listened(url: str, redis: Redis) -> None:
    with listening(url, headers=WHO) as messages:
        paused(redis)
        first = messages.next()
        Queue("other", connection=redis).enqueue("tests.jobs.working.say")
        second = messages.next()
    resume(redis, "test", "ten", START + 30)
    with listening(url, headers=WHO, last=first.id) as again:
        assert again.next() == second
        third = again.next()
        assert (third.kind, third.data["paused"]) == ("event", None)


@pytest.mark.parametrize(
    "last", ["", "odd", "0-0", "{token}-999", "{token}-", "{token}-1x", "x" * 5000]
)
def test_an_unknown_id_gets_a_reset_first(url: str, redis: Redis, last: str) -> None:
    with listening(url, headers=WHO) as messages:
        token = messages.last.partition("-")[0]
    with listening(url, headers=WHO, last=last.format(token=token)) as again:
        assert again.next()[1:] == ("reset", {})
        paused(redis)
        assert again.next().kind == "event"


def test_more_changes_than_are_worth_a_message_each_are_one_reset(
    url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MANY", 1)
    monkeypatch.setattr(feed, "NAMED", 1)
    with listening(url, headers=WHO) as all_types, listening(url, "changes", headers=WHO) as one:
        redis.delete("clock:test:events")
        assert [all_types.next().kind for _ in range(2)] == ["reset", "status"]
        assert one.next().kind == "reset"
        assert one.next().data["names"] is None


def test_a_listener_more_than_there_may_be_is_told_to_retry(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LISTENERS", 2)

    def ask() -> int:
        with httpx.stream("GET", url + STREAM, headers=WHO) as answer:
            assert answer.status_code == 200 or answer.headers["retry-after"] == "5"
            return answer.status_code

    with ExitStack() as stack:
        streams = [stack.enter_context(listening(url, headers=WHO)) for _ in range(2)]
        assert (len(streams), ask()) == (2, 503)
    wait_for("the others have left", lambda: ask() == 200)


def test_a_stream_ends_when_its_session_does(
    redis: Redis, clock: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_EVERY", 0.1)
    access = read_access({}, {"WEB_PASSWORD": PASSWORD})
    app = application(redis, access=access, app="test", now=lambda: START + 30)
    with serving(app) as url, httpx.Client() as browser:
        assert httpx.get(url + STREAM).status_code == 401
        assert browser.post(f"{url}/login", data=DATA).status_code == 303
        with listening(url, headers=_cookies(browser)) as messages:
            paused(redis)
            assert messages.next().kind == "event"
            messages.beat()
            browser.post(f"{url}/logout", data={})
            assert messages.rest() == []


def _cookies(browser: httpx.Client) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def test_a_stream_ends_when_its_session_expires(
    redis: Redis, clock: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_EVERY", 0.1)
    access, now = read_access({}, {"WEB_PASSWORD": PASSWORD}), [START + 30]
    app = application(redis, access=access, app="test", now=lambda: now[0])
    with serving(app) as url, httpx.Client() as browser:
        browser.post(f"{url}/login", data=DATA)
        with listening(url, "removed", headers=_cookies(browser)) as messages:
            messages.beat()
            now[0] += access.session_seconds
            assert messages.rest() == []


def test_without_a_server_there_is_no_stream(start_web: StartWeb) -> None:
    web = start_web(connect(f"redis://127.0.0.1:{free_port()}/0"))
    answer = web.get(STREAM)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_stream_is_there_below_a_prefix_and_for_head(start_web: StartWeb) -> None:
    app = Starlette(routes=[Mount("/clock", start_web().app)])
    with serving(app) as url:
        with listening(f"{url}/clock", headers=WHO) as messages:
            headers = messages.response.headers
            assert headers["content-type"].startswith("text/event-stream")
            assert headers["x-accel-buffering"] == "no"
            assert "no-store" in headers["cache-control"]
        answer = httpx.head(f"{url}/clock{STREAM}", headers=WHO)
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            headers["content-type"],
        )
