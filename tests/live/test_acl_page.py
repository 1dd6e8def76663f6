"""The web UI, the commands and an application as the users that docs/acl.md creates for them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
import pytest
from redis import Redis
from rq import Queue, RateLimit
from rq.job import Job
from starlette.routing import Route

from clock import jobs, keys
from clock.jobs.options import EnqueueOptions
from clock.ledger.sources import SourceState, write_source
from clock.web.application import routes
from tests.browser.web_process import WebProcess
from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.environment import bare_environment
from tests.live.granted import APP, address, assert_exact, grant, lines_of
from tests.live.recording import recorded
from tests.live.server import Server
from tests.live.waiting import wait_for

SCHEDULE = (
    "every('1 second', 'work.add', args=[1, 2], name='adding', queue='low')",
    "every('1 second', 'work.fail', name='failing', queue='low')",
    "every('1 hour', 'work.fail', name='hourly', queue='low', expires='1m')",
)

STATES = ("queued", "started", "scheduled", "deferred", "finished", "failed", "canceled")

PASSWORD = "a-password-of-tests"

SPAN = {"event": "hourly", "from": "2026-11-01T00:00:00", "to": "2026-11-01T01:00:00"}
"""Hours before the clock knew the event."""

STATUSES = {"/healthz": 503, "/zone": 303}
"""Those of routes that do not answer 200: no clock is alive, and a choice leads back."""


class Scene(NamedTuple):
    """What the clock and the workers left: a schedule file, and jobs in every state."""

    file: Path
    failed: list[Job]
    running: Job


@pytest.fixture
def scene(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock, start_worker: StartWorker
) -> Scene:
    file, queue = write_schedule(*SCHEDULE), Queue(connection=redis)
    clock = start_clock(file, CLOCK_APP=APP)
    wait_for("the clock fires", lambda: len(clock.enqueued()) >= 4)
    assert clock.stop() == 0
    heavy = RateLimit("heavy", 1)
    failed = [queue.enqueue("work.fail_after", "a word", rate_limit=heavy) for _ in range(2)]
    failed += [queue.enqueue("work.fail") for _ in range(5)]
    queue.enqueue_in(timedelta(hours=1), "work.add", 1, 2)
    worker = start_worker("low", "default", CLOCK_APP=APP)
    wait_for("all fail", lambda: len(queue.failed_job_registry) == len(failed))
    running = queue.enqueue("work.nap", 60)
    wait_for("one runs", lambda: len(queue.started_job_registry))
    worker.kill()
    queue.enqueue("work.add", 1, 2)
    queue.enqueue("work.add", 1, 2, depends_on=running)
    return Scene(file, failed, running)


def test_the_web_ui_works_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, scene: Scene, tmp_path: Path
) -> None:
    reading, acting, enqueueing, editing = lines_of("page")
    url, failed = address(server.url, "page"), [job.id for job in scene.failed]

    grant(redis, reading)
    with recorded(redis) as looks, _page(tmp_path, url) as page:
        answers = {path: page.get(path) for path in _paths(failed[0])}
        assert page.post("/api/v1/events/failing/run").status_code == 403
        assert page.post("/login", data={"password": "another one"}).status_code == 401
        assert page.post("/login", data={"password": PASSWORD}).status_code == 303
        assert page.post("/logout").status_code == 303
    assert [
        (path, answer.status_code, answer.text)
        for path, answer in answers.items()
        if answer.status_code != STATUSES.get(path, 200)
    ] == []
    assert_exact(reading, looks)

    grant(redis, acting)
    event = "/api/v1/events/failing"
    with recorded(redis) as acts, _page(tmp_path, url, "--allow-actions") as page:
        for done in (
            page.post(f"{event}/run"),
            page.post(f"{event}/pause", json={"for": "1h"}),
            page.post(f"{event}/pause", json={"for": "2h"}),
            page.post(f"{event}/resume"),
            page.post(f"/api/v1/jobs/{failed[0]}/requeue"),
            page.delete(f"/api/v1/jobs/{failed[1]}"),
            page.post(f"/api/v1/jobs/{failed[2]}/requeue"),
            page.delete(f"/api/v1/jobs/{failed[3]}"),
            page.post("/run", data={"event": "failing"}),
            shown := page.get("/backfill", params=SPAN),
            page.post("/backfill", data=_hidden(shown.text)),
            page.post("/pause", data={"event": "failing", "for": "60"}),
            page.post("/resume", data={"event": "failing"}),
            page.post("/requeue", data={"job": failed[4]}),
            page.post("/delete", data={"job": failed[5], "sure": "on"}),
            page.post("/stop", data={"job": scene.running.id, "sure": "on"}),
            page.post("/pause-queue", data={"queue": "low"}),
            page.post("/resume-queue", data={"queue": "low"}),
            page.post("/requeue-chosen", data={f"job.{failed[6]}": "1"}),
            page.post("/requeue-all", data={"queue": "low", "event": "failing", "sure": "on"}),
            page.post("/delete-all", data={"queue": "default", "sure": "on"}),
            page.post("/api/v1/jobs/requeue", json={"queue": "low"}),
            page.post("/api/v1/jobs/delete", json={"queue": "default"}),
        ):
            assert done.status_code in {200, 201, 303}, (done.request.url, done.text)
    assert_exact(acting, acts)

    grant(redis, enqueueing)
    with (
        recorded(redis) as sends,
        _page(tmp_path, url, "--allow-actions", "--allow", "work.add") as page,
    ):
        for body in (
            {"unique": "waiting", "expires": "1h"},
            {"unique": "waiting", "delay": "1h"},
            {"delay": "1h", "at_front": True},
            {"at": "2126-11-21T18:00Z", "group": "feeds"},
            {"depends_on": scene.running.id, "repeat": {"times": 2}},
            {"rate_limit": {"key": "light", "concurrency": 1}},
        ):
            sent = page.post("/api/v1/jobs", json={"task": "work.add", **body})
            assert sent.is_success, sent.text
        for other in (
            page.get("/run?event=adding"),
            page.post("/api/v1/events/adding/run", json={"args": [3, 4]}),
        ):
            assert other.is_success, other.text
    assert_exact(enqueueing, sends)

    grant(redis, editing)
    _declare_stored(redis)
    row = {"name": "a", "task": "work.ok", "how": "text", "every": "day"}
    with recorded(redis) as edits, _page(tmp_path, url, "--allow-actions") as page:
        assert page.post("/edit", data=row).status_code == 303
        # As if its clock had taken it over.
        redis.hset(keys.rows(APP), "a", '1 {"source":"console"}')
        assert page.post("/remove", data={"event": "a", "version": "1", "sure": "1"}).is_redirect
    assert_exact(editing, edits)


def test_without_permission_for_the_audit_log_the_web_ui_works_and_logs_it(
    server: Server, redis: Redis, scene: Scene, tmp_path: Path
) -> None:
    reading, acting, *_ = lines_of("page")
    grant(redis, reading, acting, reading._replace(rules=["-xadd", "-set"]))
    web = WebProcess(
        tmp_path, address(server.url, "page"), "--allow-actions",
        CLOCK_APP=APP, CLOCK_WEB_PASSWORD=PASSWORD,
    )  # fmt: skip
    try:
        with httpx.Client(base_url=web.address(), timeout=20) as page:
            assert page.post("/login", data={"password": "another one"}).status_code == 401
            assert page.post("/login", data={"password": PASSWORD}).status_code == 303
            assert page.get("/").status_code == 200
            assert page.post("/logout").status_code == 503
            basic = httpx.BasicAuth("ann", PASSWORD)
            answer = page.post("/api/v1/events/failing/pause", auth=basic)
            assert answer.status_code == 200
        output = web.output()
        assert output.count("audit entry not written") == 3
        assert "what=pause" in output
    finally:
        web.clean_up()


def test_without_permission_for_time_the_web_ui_uses_the_time_of_its_host(
    server: Server, redis: Redis, scene: Scene, tmp_path: Path
) -> None:
    reading, *_ = lines_of("page")
    grant(redis, reading, reading._replace(rules=["-time"]))
    with _page(tmp_path, address(server.url, "page")) as page:
        assert page.get("/").status_code == 200
        assert page.get("/api/v1/events").status_code == 200


def test_commands_that_read_need_only_the_rights_of_the_web_ui(
    server: Server, redis: Redis, scene: Scene
) -> None:
    reading, *_ = lines_of("page")
    grant(redis, reading)
    run = _command(address(server.url, "page"))
    with recorded(redis) as reads:
        assert "no clock is alive" in run("status", code=6)
        assert "failing" in run("history")
        assert "nobody did anything yet" in run("audit")
        assert "fired" in run("history", "failing", "--json")
        assert "failing" in run("why", "failing")
        assert "failing" in run("why", "failing", "2020-01-01T00:00Z")
    assert reads.denied == []


def test_commands_that_write_work_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, scene: Scene
) -> None:
    line, _ = lines_of("operator")
    grant(redis, line)
    with recorded(redis) as writes:
        _write(address(server.url, "operator"), scene.file)
    assert_exact(line, writes)


def test_rows_are_edited_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis
) -> None:
    line, with_rows = lines_of("operator")
    grant(redis, line, with_rows)
    _declare_stored(redis)
    command = _command(address(server.url, "operator"))
    with recorded(redis) as edits:
        command("put", "a", "--every", "day", "--task", "work.ok")
        # As if its clock had taken it over.
        redis.hset(keys.rows(APP), "a", '1 {"source":"console"}')
        assert "work.ok" in command("export")
        command("remove", "a")
    assert_exact(with_rows, edits)


def test_the_commands_work_without_permission_for_time(
    server: Server, redis: Redis, scene: Scene
) -> None:
    line, _ = lines_of("operator")
    grant(redis, line, line._replace(rules=["-time"]))
    _write(address(server.url, "operator"), scene.file)


def test_an_event_can_be_run_with_the_rights_that_0_1_0_needed(
    server: Server, redis: Redis, scene: Scene
) -> None:
    line, _ = lines_of("operator")
    grant(redis, line._replace(rules=[rule for rule in line.rules if "manual" not in rule]))
    assert "is enqueued as" in _command(address(server.url, "operator"))("run", "failing")
    assert not redis.keys(f"clock:{APP}:manual:*")


def test_an_application_works_with_exactly_the_rights_that_the_docs_list(
    server: Server, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_APP", APP)
    line, more = lines_of("app")
    grant(redis, line)
    running = jobs.enqueue("work.add", unique="unfinished", connection=redis)
    redis.hset(f"rq:job:{running.id}", "status", "started")
    redis.zadd(f"rq:executions:{running.id}", {"one": time.time() + 60})
    failed = jobs.enqueue("work.fail", connection=redis)
    redis.hset(f"rq:job:{failed.id}", "status", "failed")
    redis.script_flush()
    url = address(server.url, "app")
    with Redis.from_url(url) as connection, recorded(redis) as asks:
        assert jobs.enqueue("work.add", unique="unfinished", retry=1, connection=connection).is_new
        for expected in (True, False):
            again = jobs.enqueue("work.add", unique="waiting", delay="1h", connection=connection)
            assert again.is_new is expected
        handle = jobs.enqueue("work.add", expires="1h", connection=connection)
        assert handle.progress() is None
        jobs.enqueue("work.add", at_front=True, connection=connection)
        with pytest.raises(jobs.JobTimeoutError):
            handle.result(0.2)
        with pytest.raises(jobs.JobFailedError):
            jobs.Handle(failed.id, connection).result()
    assert_exact(line, asks)

    grant(redis, more)
    redis.hset(f"rq:job:{running.id}", "worker_name", "w")
    redis.hset(f"rq:job:{handle.id}", "status", "ready_to_enqueue")
    with Redis.from_url(url) as connection, recorded(redis) as asks:
        limit = RateLimit("heavy", 1)
        handles = jobs.enqueue_many(
            [
                ("work.add", {"group": "g"}),
                ("work.add", {"depends_on": running, "group": "g"}),
                *[("work.add", EnqueueOptions(rate_limit=limit))] * 2,
            ],
            connection=connection,
        )
        for waiting in (*handles, jobs.Handle(handle.id, connection)):
            assert waiting.cancel()
        assert jobs.Handle(running.id, connection).stop()
    assert_exact(more, asks)


def _declare_stored(redis: Redis) -> None:
    """A source of rows that people edit, as its clock writes it down."""
    state = SourceState(
        name="console",
        file="schedule.py",
        path="schedule.py",
        line=3,
        every=30,
        is_stored=True,
        tasks=("work.*",),
        queues=None,
        zone="UTC",
    )
    write_source(redis, APP, state)


def _hidden(text: str) -> dict[str, str]:
    """The hidden fields of a page."""
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', text))


def _paths(job: str) -> Iterator[str]:
    """Every address that can be read, those of jobs in each state."""
    queries = {"/event": "?name=failing", "/pause": "?event=failing", "/run": "?event=failing"}
    queries |= {"/backfill": f"?{urlencode(SPAN)}"}
    queries |= {"/job": f"?id={job}", "/output": f"?id={job}", "/again": f"?id={job}"}
    queries |= {"/pause-queue": "?queue=low"}
    for route in routes():
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            path = route.path.replace("{name:path}", "failing").replace("{id}", job)
            if not path.endswith("/jobs"):
                yield path + queries.get(path, "")
                continue
            for state in STATES:
                yield f"{path}?queue=default&state={state}"
            yield f"{path}?queue=low&state=failed&event=failing"


@contextmanager
def _page(folder: Path, url: str, *arguments: str) -> Iterator[httpx.Client]:
    web = WebProcess(folder, url, *arguments, CLOCK_APP=APP, CLOCK_WEB_PASSWORD=PASSWORD)
    try:
        with httpx.Client(base_url=web.address(), auth=("ann", PASSWORD), timeout=20) as client:
            yield client
        assert web.stop() == 0
        assert "level=" not in web.output().replace("level=info", "")
    finally:
        web.clean_up()
        sys.stdout.write(web.output())


def _command(url: str) -> Callable[..., str]:
    def run(*arguments: str, code: int = 0) -> str:
        """What a command printed."""
        ended = subprocess.run(
            [sys.executable, "-m", "clock", *arguments, "--url", url, "--app", APP],
            env=bare_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout + ended.stderr

    return run


def _write(url: str, file: Path) -> None:
    """Each command that writes, once or twice."""
    run = _command(url)
    since, until = "2026-11-01T00:00Z", "2026-11-01T02:00Z"
    assert "is enqueued as" in run("run", "failing")
    assert "is enqueued as" in run("run", "hourly")
    assert "is paused" in run("pause", "failing", "--reason", "one")
    assert "is paused" in run("pause", "failing", "--reason", "another")
    assert "is resumed" in run("resume", "failing")
    backfill = ("backfill", str(file), "hourly", "--from", since, "--until", until)
    assert "to enqueue" in run(*backfill, "--dry-run")
    assert "enqueued" in run(*backfill)
    assert "3 were there or later" in run("restore", since)
    assert "no record is in the future" in run("rewind")
    assert "is not in the future" in run("rewind", "failing")
    assert "is forgotten: " in run("forget", file.name)
