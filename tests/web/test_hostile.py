"""Whatever is written to the server, the page works and its memory stays bounded."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import escape
from redis import Redis
from rq.utils import as_text

from clock.cli import main
from clock.connection import rq_keys
from clock.errors import ServerError
from clock.ledger import unreadable
from clock.ledger.records import read_record
from clock.observe.rq.entries import Stage
from clock.web import feed
from clock.web.api import OPERATIONS
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import TOKEN, StartWeb
from tests.web.hostile import APP, fill, spoil
from tests.web.requests import Web
from tests.web.serving import listening, serving

SCHEDULE = (
    "from clock import times; from datetime import datetime, UTC, timedelta",
    "def stream():",
    "    return (datetime(2027, 1, 15, 9, tzinfo=UTC) + timedelta(minutes=n) for n in range(99))",
    "every(times(stream), 'tasks.x', name='stream')",
    "every('10 seconds', 'tasks.x', name='ten')",
    "every('day', 'tasks.x', name='a/b ü', at='02:30', tz='Europe/Berlin')",
)
PAGES = [
    "/",
    "/live",
    "/week",
    "/queues",
    "/metrics",
    "/healthz",
    "/readyz",
    "/pause?event=ten",
    "/audit",
    "/trends",
    "/trends?span=year&page=2",
    "/trends?of=event&name=ten&span=week",
    "/trends?of=queue&name=default&span=hour",
]
PAGES += ["/audit?cursor=9-9", "/audit?cursor=1"]
MEGABYTE = 2**20


@pytest.fixture
def filled(redis: Redis, read: ReadSchedule) -> Redis:
    """A server with everything that the web side reads."""
    Watched(redis, read(*SCHEDULE)).turn(range(25))
    fill(redis)
    return redis


def _addresses(redis: Any) -> Iterator[str]:
    """All that can be asked for."""
    yield from PAGES
    names = [b"ten", b"stream", "a/b ü".encode(), b"bad 1 clock:test:decided", b"\xff", b"x" * 300]
    if redis.type(f"clock:{APP}:decided") == b"hash":
        decided = sorted(name for name in redis.hkeys(f"clock:{APP}:decided") if len(name) < 100)
        names += decided[::20]
    jobs = ["good-fail", "good-started", "bad-kind", "bad-results"]
    jobs += [as_text(key)[7:] for key in sorted(redis.scan_iter("rq:job:bad-*"))[::11]]
    for state in Stage:
        yield f"/jobs?queue=default&state={state}"
        yield f"/jobs?state={state}"
        yield f"/jobs?state={state}&within=3600&text=x&event=ten"
        yield f"/api/v1/jobs?state={state}&limit=200"
        yield f"/api/v1/jobs?state={state}&limit=200&queue=*"
    for operation in OPERATIONS:
        is_endless = operation.streams is not None
        if operation.method == "GET" and "{" not in operation.path and not is_endless:
            yield f"/api/v1{operation.path}"
    for name in map(quote, names):
        yield f"/event?name={name}"
        yield f"/run?event={name}"
        yield f"/backfill?event={name}"
        yield f"/backfill?event={name}&from=2027-01-15T07:59&to=2027-01-15T08:00:20"
        for path in ("", "/history", "/upcoming", "/runs", "/statistics", "/why", "/pauses"):
            yield f"/api/v1/events/{name}{path}"
    for job in jobs:
        yield f"/output?id={job}"
        yield f"/api/v1/jobs/{job}/output"
        yield f"/job?id={job}"
        yield f"/again?id={job}"
        yield f"/api/v1/jobs/{job}"


def test_unreadable_entries_are_skipped_and_the_others_shown(
    filled: Redis, start_web: StartWeb
) -> None:
    web = start_web(arguments=True)
    right = _shown(web)
    spoil(filled)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    statuses = {address: web.get(address).status_code for address in _addresses(filled)}
    assert {address: status for address, status in statuses.items() if status >= 500} == {}
    assert sum(_pages(web)) > 500
    for what, shown in _shown(web).items():
        for entry in right[what]:
            assert entry in shown, what
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 200 * MEGABYTE


def test_the_stream_goes_on_over_unreadable_entries(
    filled: Redis, start_web: StartWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "READ_EVERY", 0.05)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with serving(start_web().app) as url, listening(url, headers=headers) as messages:
        spoil(filled)
        while messages.next().kind != "status":
            pass


def test_a_skipped_entry_is_logged_once_and_shown(
    filled: Redis, web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreadable, "_LOGGED", set())
    filled.hset(f"clock:{APP}:pauses", "kept once", "nothing {}")
    for _ in range(2):
        assert web.get("/").status_code == 200
    (line,) = [record.getMessage() for record in caplog.records]
    reason = f"clock:{APP}:pauses 'kept once': not an integer"
    assert line == f"skipped {reason}"
    assert escape(reason) in web.get("/").text
    assert web.get("/api/v1/status").json()["unreadable"] == [reason]
    assert "\nclock_unreadable 1.0\n" in web.get("/metrics").text


def test_a_clock_starts_and_fires_despite_unreadable_entries(
    filled: Redis, read: ReadSchedule
) -> None:
    spoil(filled)
    later = Watched(filled, read(*SCHEDULE), token="h:2:y", now=START + 30)
    later.turn(range(30, 60))
    assert read_record(filled, APP, "ten").decided == START + 50


def test_unreadable_entries_do_not_stop_an_action(filled: Redis, web: Web) -> None:
    spoil(filled)
    for path in ("/api/v1/jobs/bad-1/requeue", "/api/v1/jobs/good-fail/requeue"):
        assert web.post(path).status_code == 200
    for action in ("requeue", "delete"):
        assert web.post(f"/api/v1/jobs/{action}", json={"queue": "default"}).status_code == 200
    names = [name for name in filled.hkeys(f"clock:{APP}:decided") if len(name) < 100]
    for name in sorted(names)[::10]:
        for action in ("pause", "resume"):
            answer = web.post(f"/api/v1/events/{quote(name)}/{action}")
            assert answer.status_code in {200, 404}, (name, answer.text)


def test_an_unreadable_record_is_not_treated_as_an_empty_one(filled: Redis) -> None:
    filled.hset(f"clock:{APP}:decided", "ten", "nothing")
    with pytest.raises(ServerError, match="the record of 'ten' is unreadable"):
        read_record(filled, APP, "ten")


def test_an_unreadable_pause_can_be_ended(filled: Redis, web: Web) -> None:
    filled.hset(f"clock:{APP}:pauses", "ten", "nothing")
    filled.hset(f"clock:{APP}:decided", "ten", "nothing")
    for action in ("resume", "pause", "resume", "run"):
        assert web.post(f"/api/v1/events/ten/{action}").status_code in {200, 201}
    assert not filled.hexists(f"clock:{APP}:pauses", "ten")


KINDS = [
    "clock:test:clocks", "clock:test:events", "clock:test:decided", "clock:test:pauses",
    "clock:test:pauses:ended", "clock:test:instants", "clock:test:tally", "clock:test:runs:ten",
    "clock:test:measured:ten", "clock:test:output:good-fail", "clock:test:bad_output:ten",
    "clock:test:audit", "clock:test:audit:failed",
    "clock:progress:good-started", "rq:queues", "rq:workers",
    "rq:queue:default", "rq:workers:default", "rq:worker:good", "rq:wip:default",
    "rq:failed:default", "rq:finished:default", "rq:job:good-queued", "rq:job:good-fail",
    "rq:results:good-fail", rq_keys.RATE_LIMITS, rq_keys.executions_of_worker("good"),
]  # fmt: skip


@pytest.mark.parametrize("key", KINDS)
def test_a_key_of_the_wrong_type_is_skipped(filled: Redis, web: Web, key: str) -> None:
    filled.delete(key)
    filled.set(key, "something else")
    for address in _addresses(filled):
        answer = web.get(address)
        is_told = key == "clock:test:clocks" and answer.text == '{"state":"no clock"}'
        assert answer.status_code < 500 or is_told, address


@pytest.mark.parametrize(
    "command",
    [
        "audit -n 9999",
        "audit --json -n 9999",
        "status",
        "status --json",
        "history -n 999",
        "history ten --json",
        "why ten",
    ],
)
def test_the_commands_skip_unreadable_entries_too(
    filled: Redis, server_url: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    spoil(filled)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--url", server_url, "--app", APP])
    assert ended.value.code in {0, 6, 7}
    assert re.search(r"\bten\b", capsys.readouterr().out)


def _pages(web: Web) -> Iterator[int]:
    """How many jobs are on each page of those that failed."""
    cursor = ""
    while cursor is not None:
        answer = web.get(f"/api/v1/jobs?state=failed&limit=200{cursor and f'&cursor={cursor}'}")
        assert answer.status_code == 200
        yield len(answer.json()["jobs"])
        cursor = answer.json()["next"]


def _audited(web: Web) -> Iterator[dict[str, Any]]:
    """Every entry of the audit log."""
    cursor = ""
    while cursor is not None:
        answer = web.get(f"/api/v1/audit?limit=100{cursor and f'&cursor={cursor}'}")
        assert answer.status_code == 200
        yield from answer.json()["entries"]
        cursor = answer.json()["next"]


def _shown(web: Web) -> dict[str, list[Any]]:
    """Some of what is shown."""

    def body_of(path: str) -> Any:
        return web.get(f"/api/v1{path}").json()

    return {
        "healthz": [web.get("/healthz").json()],
        "clocks": body_of("/status")["clocks"],
        "events": body_of("/events")["events"],
        "history": body_of("/events/ten/history")["decisions"],
        "upcoming": body_of("/events/stream/upcoming")["upcoming"],
        "runs": body_of("/events/ten/runs")["runs"],
        "workers": body_of("/workers")["workers"],
        "running": body_of("/running")["jobs"],
        "audit": [*_audited(web)],
        "failed": [body_of("/jobs/good-fail")],
        "output": body_of("/jobs/good-fail/output")["outputs"],
        "metrics": [line for line in web.get("/metrics").text.splitlines() if '"ten"' in line],
    }
