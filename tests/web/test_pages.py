"""The pages, without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.retry import Retry
from rq import Queue
from starlette.applications import Starlette
from starlette.routing import Mount

from clock.ledger.pauses import read_pauses
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.web.access import Access, read_access
from clock.web.application import application
from tests.conftest import ReadSchedule
from tests.jobs.working import work_off
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import COOKIE
from tests.web.requests import Web

DOCS = Path(__file__).parents[2] / "docs" / "web.md"
HOSTILE = "<img src=x onerror=alert(1)>'\"&"

ACCESS = Access(password=None, token=None, actions=True, arguments=False, secret=b"s" * 32)

PAGES = ["/", "/live", "/event?name=ten", "/queues", "/jobs?queue=default", "/week"]
PAGES += ["/pause?event=ten", "/login", "/jobs?queue=default&state=failed", "/jobs"]
PAGES += ["/pause-queue?queue=default"]

StartSite = Callable[..., Web]


@pytest.fixture
def start_site(redis: Redis) -> StartSite:
    """The application ``test``, for whoever comes in one session."""

    def start(
        access: Access = ACCESS, *, now: float = START + 30, connection: Redis | None = None
    ) -> Web:
        made = application(connection or redis, access=access, app="test", now=lambda: now)
        cookie, name = access.begin(START)
        return Web(made, {"cookie": f"{COOKIE}={cookie}", "x-csrf-token": access.form_token(name)})

    return start


@pytest.fixture
def site(start_site: StartSite) -> Web:
    """The application ``test`` thirty seconds after ``START``."""
    return start_site()


def _send(site: Web, path: str, **fields: str) -> httpx.Response:
    return site.request("POST", path, data=fields)


@pytest.mark.parametrize("path", PAGES)
def test_reading_a_page_changes_nothing(site: Web, clock: Watched, redis: Redis, path: str) -> None:
    before = _all(redis)
    redis.config_resetstat()
    assert site.get(path).status_code == 200
    written = redis.info("commandstats").keys() & {
        f"cmdstat_{name}" for name in ("set", "hset", "lpush", "zadd", "sadd", "del", "zrem")
    }
    assert not written
    assert _all(redis) == before


@pytest.mark.parametrize("path", ["/", "/live?order=x", "/week"])
def test_the_round_trips_do_not_grow_with_the_events(
    start_site: StartSite, redis: Redis, read: ReadSchedule, path: str
) -> None:
    counts = []
    for number in (2, 120):
        redis.flushall()
        text = f"for i in range({number}): every('day', 'tasks.x', at='02:30', name=f'n{{i}}')"
        Watched(redis, read(text)).turn([0])
        counts.append(_round_trips(redis, partial(start_site().get, path)))
    assert counts[0] == counts[1] <= 6


@pytest.mark.parametrize("path", ["/", "/event", "/week", "/pause"])
def test_what_people_write_is_escaped(
    start_site: StartSite, redis: Redis, read: ReadSchedule, path: str
) -> None:
    Watched(redis, read(f"every('10 seconds', 'tasks.x', name={HOSTILE!r})")).turn(range(25))
    site = start_site()
    _send(site, "/pause", event=HOSTILE, reason=HOSTILE)
    name = quote(HOSTILE)
    answer = site.get(f"{path}?name={name}&event={name}&q={name}&done=run&of={name}")
    assert answer.status_code == 200
    assert "<img" not in answer.text
    tags = _Tags()
    tags.feed(answer.text)
    assert not tags.inline


def test_errors_of_jobs_are_escaped(site: Web, redis: Redis) -> None:
    Queue("default", connection=redis).enqueue("builtins.int", HOSTILE)
    work_off(redis)
    for path in ("/queues", "/jobs?queue=default&state=failed"):
        text = site.get(path).text
        assert "<img" not in text
        assert "ValueError" in text


def test_arguments_are_shown_only_where_that_is_enabled(
    start_site: StartSite, redis: Redis
) -> None:
    job = Queue("default", connection=redis).enqueue("tests.jobs.working.say", "the secret word")
    for path in (f"/job?id={job.id}", "/queues", "/jobs?queue=default"):
        assert "secret" not in start_site().get(path).text
    shown = start_site(replace(ACCESS, arguments=True)).get(f"/job?id={job.id}").text
    assert "the secret word" in shown


BAD = [
    "/event",
    "/event?name=",
    "/event?name=%00",
    "/event?name=%FF",
    "/jobs?state=x",
    "/jobs?queue=x&cursor=%F0",
    "/jobs?queue=x&state=failed&cursor=AAAA",
    "/job",
    "/job?id=../..",
    "/week?tz=../etc/passwd",
    "/pause/x",
    "/static/../access.py",
    "/static/%2e%2e/access.py",
]


@pytest.mark.parametrize("path", BAD)
def test_an_invalid_request_gets_a_clear_error(site: Web, clock: Watched, path: str) -> None:
    answer = site.get(path)
    assert 400 <= answer.status_code < 500, answer.status_code
    assert "Traceback" not in answer.text


BAD_FORMS = [
    ("/run", {}),
    ("/run", {"event": "nothing"}),
    ("/run", {"event": "x" * 5000}),
    ("/pause", {"event": "ten", "for": "-5"}),
    ("/pause", {"event": "ten", "for": "9" * 30}),
    ("/pause", {"event": "ten", "for": "\u0663"}),
    ("/pause", {"event": "ten", "for": "until", "until": "soon"}),
    ("/pause", {"event": "ten", "for": "until", "until": "2001-01-01T00:00"}),
    ("/pause", {"event": "ten", "for": "until", "until": "9999-12-31T23:59"}),
    ("/pause", {"event": "nothing"}),
    ("/resume", {"event": "nothing"}),
    ("/requeue", {}),
    ("/delete", {}),
    ("/delete-all", {}),
    ("/delete-chosen", {"queue": "default"}),
    ("/stop", {}),
    ("/pause-queue", {"queue": "nobody's"}),
    ("/requeue-all", {}),
]


@pytest.mark.parametrize(("path", "form"), BAD_FORMS, ids=lambda value: str(value)[:60])
def test_an_invalid_form_changes_nothing_and_shows_the_reason(
    site: Web, clock: Watched, redis: Redis, path: str, form: dict[str, str]
) -> None:
    before = _all(redis)
    assert 400 <= _send(site, path, **form).status_code < 500
    assert _all(redis) == before


def test_a_pause_ends_at_a_local_time_of_its_event(site: Web, clock: Watched, redis: Redis) -> None:
    fields = {"for": "until", "until": "2027-03-01T09:30", "reason": " because "}
    answer = _send(site, "/pause", event="a/b ü", **fields)
    assert answer.headers["location"] == "/?done=pause&of=a%2Fb+%C3%BC"
    pause = read_pauses(redis, "test")["a/b ü"]
    assert (pause.until, pause.reason, pause.by) == (1_803_889_800, "because", "web")
    assert _send(site, "/resume", event="a/b ü").status_code == 303
    assert read_pauses(redis, "test") == {}


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test/", "/\\evil.test", "", "/logout"]
)
def test_an_action_redirects_only_to_our_own_pages(site: Web, clock: Watched, back: str) -> None:
    answer = _send(site, "/run", event="ten", back=back)
    assert answer.headers["location"] == "/?done=run&of=ten"
    answer = _send(site, "/run", event="ten", back="/event?name=ten")
    assert answer.headers["location"] == "/event?name=ten&done=run&of=ten"


def test_failed_jobs_are_requeued_and_deleted_one_or_all(site: Web, redis: Redis) -> None:
    queue = Queue("default", connection=redis)
    jobs = [queue.enqueue("tests.jobs.working.fail") for _ in range(4)]
    work_off(redis)
    assert "requeue&of=" in _send(site, "/requeue", job=jobs[0].id).headers["location"]
    assert queue.job_ids == [jobs[0].id]
    assert "done=requeue-none" in _send(site, "/requeue", job=jobs[0].id).headers["location"]
    assert "done=delete&" in _send(site, "/delete", job=jobs[1].id, sure="1").headers["location"]
    answer = _send(site, "/requeue-all", queue="default", sure="1")
    assert answer.headers["location"].endswith("done=requeue-all&of=2")
    assert len(queue.job_ids) == 3
    work_off(redis)
    answer = _send(site, "/delete-all", queue="default", sure="1")
    assert answer.headers["location"].endswith("done=delete-all&of=3")
    assert redis.keys("rq:job:*") == []


@pytest.mark.parametrize("path", ["/", "/event?name=ten"])
def test_a_page_is_sent_again_only_if_more_than_the_time_changed(
    start_site: StartSite, clock: Watched, redis: Redis, path: str
) -> None:
    first = start_site()
    later = Web(start_site(now=START + 33).app, first._headers)
    etag = first.get(path).headers["etag"]
    answer = later.get(path, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    write_run(redis, "test", _run("ten"))
    answer = later.get(path, headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != etag


def test_a_page_of_0_1_0_that_is_still_open_is_told_to_reload(site: Web, clock: Watched) -> None:
    assert site.get("/live?order=12345678&have=").json()["reload"]


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        ("event", " 02:30:00 +01:00</span>"),
        ("utc", " 01:30:00 UTC</span>"),
        ("Asia/Tokyo", " 10:30:00 +09:00</span>"),
        ("no/zone", " 02:30:00 +01:00</span>"),
    ],
)
def test_times_are_shown_in_the_chosen_zone(
    site: Web, clock: Watched, show: str, shown: str
) -> None:
    answer = site.get(f"/zone?show={quote(show)}&back=/event?name=ten")
    assert (answer.status_code, answer.headers["location"]) == (303, "/event?name=ten")
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert shown in site.get("/", headers={"cookie": cookie}).text


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test/", "/\\evil.test", "@evil.test"]
)
def test_the_choice_of_a_zone_redirects_only_to_our_own_pages(site: Web, back: str) -> None:
    assert site.get(f"/zone?show=utc&back={quote(back)}").headers["location"] == "/"


def test_the_icon_has_the_number_of_what_needs_attention(site: Web) -> None:
    assert "<text" not in site.get("/icon?count=0").text
    assert ">7</text>" in site.get("/icon?count=7").text
    assert ">99</text>" in site.get("/icon?count=1234").text
    assert site.get("/icon?count=-1<script>").status_code == 200


def test_static_files_of_this_version_are_kept_for_ever(site: Web, clock: Watched) -> None:
    text = site.get("/").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]*)"', text)
    assert len(addresses) >= 8
    for address in addresses:
        answer = site.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    # A page of a newer version must not make a browser keep the script of this one.
    for older in ("/static/main.js", "/static/0123456789/main.js"):
        assert site.get(older).headers["cache-control"] == "no-store"


def test_an_event_whose_last_run_failed_is_failing(site: Web, clock: Watched, redis: Redis) -> None:
    write_run(redis, "test", _run("ten"))
    for path in ("/", "/event?name=ten"):
        assert 's-failing">failing' in site.get(path).text


def test_the_history_shows_why_nothing_was_enqueued(start_site: StartSite, clock: Watched) -> None:
    fields = {"event": "ten", "for": "600", "reason": "the disk is full"}
    assert _send(start_site(), "/pause", **fields).status_code == 303
    clock.turn(range(30, 45))
    text = start_site(now=START + 45).get("/event?name=ten").text
    assert "paused by web from" in text
    assert "the disk is full" in text


def test_while_the_server_is_away_pages_respond_with_503(start_site: StartSite) -> None:
    with Redis(port=1, retry=Retry(NoBackoff(), 0)) as nowhere:
        site = start_site(connection=nowhere)
        for path in ("/", "/queues", "/week", "/event?name=x"):
            answer = site.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_run_onto_a_key_of_another_type_is_a_conflict_not_an_outage(
    site: Web, clock: Watched, redis: Redis
) -> None:
    redis.set("rq:queue:default", "text")
    answer = _send(site, "/run", event="ten")
    assert answer.status_code == 409
    assert "rq:queue:default holds no queue" in answer.text
    assert "retry-after" not in answer.headers


def test_under_a_prefix_every_link_has_it(site: Web, clock: Watched) -> None:
    mounted = Web(Starlette(routes=[Mount("/ops/clock", site.app)]), site._headers)
    for path in PAGES:
        answer = mounted.get(f"/ops/clock{path}")
        assert answer.status_code == 200
        text = json.dumps(answer.json()) if path == "/live" else answer.text
        for address in re.findall(r'(?:href|src|action)=\\?"(/[^"\\]*)', text):
            assert address.startswith("/ops/clock/"), address
    answer = _send(mounted, "/ops/clock/run", event="ten")
    assert answer.headers["location"].startswith("/ops/clock/?")


def test_the_examples_of_the_docs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOCK_WEB_PASSWORD", raising=False)
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    namespace: dict[str, Any] = {}
    for block in blocks:
        exec(block, namespace)  # noqa: S102  # our own page
    assert isinstance(namespace["app"], Starlette)
    assert read_access({}, namespace).role_of("ann", "correct horse") == ("ann", "act")
    staff = namespace["page"].state.clock.access.identify
    user = SimpleNamespace(is_authenticated=True, is_staff=True, username="ann")
    assert staff(SimpleNamespace(scope={"user": user})) == ("ann", "act")


def _all(redis: Redis) -> dict[bytes, bytes | None]:
    return {key: redis.dump(key) for key in redis.scan_iter()}


def _round_trips(redis: Redis, ask: Callable[[], object]) -> int:
    """How often the server was written to, by connections that there are already."""
    pool = redis.connection_pool
    sent = 0
    send = Connection.send_packed_command

    def count(*command: Any, **options: Any) -> None:
        nonlocal sent
        sent += 1
        send(*command, **options)  # type: ignore[no-untyped-call]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool.connection_class, "send_packed_command", count)
        ask()
    return sent


def _run(event: str) -> Run:
    return Run(
        event=event,
        scheduled=int(START) + 20,
        enqueued=START + 20,
        started=START + 20.1,
        ended=START + 20.3,
        outcome=RunOutcome.FAILED,
        error="ZeroDivisionError",
        attempt=1,
        worker="w",
        job="j",
    )


class _Tags(HTMLParser):
    """What a page would run by itself: there is to be nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(tag)
        self.inline += [name for name in names if name == "style" or name.startswith("on")]
