"""The audit log of the web UI: what is recorded of each action, and how it is shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from markupsafe import escape
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Entry
from tests.jobs.working import start, work_off
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

HOSTILE = "<img src=x onerror=alert(1)>'\"&"


@pytest.fixture
def failed(redis: Redis) -> list[Job]:
    """Failed jobs of the queue ``low``."""
    queue = Queue("low", connection=redis)
    jobs = [queue.enqueue("tests.jobs.working.fail") for _ in range(6)]
    work_off(redis, "low")
    return jobs


def recorded(redis: Redis) -> list[Entry]:
    """The entries, the oldest first."""
    return [*reversed(read_audit(redis, "test", 500).entries)]


def test_every_action_on_the_page_is_recorded(
    redis: Redis, web: Web, clock: Watched, failed: list[Job]
) -> None:
    ids = [job.id for job in failed]
    for path, fields in (
        ("/run", {"event": "ten"}),
        ("/pause", {"event": "ten", "reason": "moving", "for": "60"}),
        ("/pause", {"event": "ten"}),
        ("/resume", {"event": "ten"}),
        ("/requeue", {"job": ids[0]}),
        ("/delete", {"job": ids[1], "sure": "1"}),
        ("/requeue-all", {"queue": "low", "task": "tests.jobs.working.fail", "sure": "1"}),
        ("/delete-all", {"queue": "low", "sure": "on"}),
    ):
        assert web.post(path, data=fields).status_code == 303
    entries = recorded(redis)
    assert {(e.actor.name, e.actor.how, e.actor.source) for e in entries} == {
        ("api", "page", "127.0.0.1")
    }
    assert {(entry.at, entry.outcome) for entry in entries} == {(START + 30, "done")}
    filtered = "queue low, task tests.jobs.working.fail"
    assert [(entry.what, entry.on) for entry in entries] == [
        ("run", "ten"),
        *[("pause", "ten")] * 2,
        ("resume", "ten"),
        ("requeue", ids[0]),
        ("delete", ids[1]),
        ("requeue all", filtered),
        ("delete all", "queue low"),
    ]
    ran, paused, replaced, resumed, requeued, _, requeued_all, deleted_all = entries
    assert redis.exists(f"rq:job:{(ran.after or {})['job']}")
    assert (paused.before, (paused.after or {})["reason"]) == (None, "moving")
    assert (replaced.before, resumed.before) == (paused.after, replaced.after)
    assert (requeued.before or {})["status"] == "failed"
    assert (requeued_all.after, deleted_all.after) == ({"requeued": 4}, {"deleted": 0})


def test_every_action_of_the_api_is_recorded(
    redis: Redis, web: Web, clock: Watched, failed: list[Job]
) -> None:
    ids = [job.id for job in failed]
    event = "/api/v1/events/ten"
    for answer in (
        web.post(f"{event}/run"),
        web.post(f"{event}/pause", json={"for": "1h", "by": "somebody"}),
        web.post(f"{event}/resume"),
        web.post(f"/api/v1/jobs/{ids[0]}/requeue"),
        web.request("DELETE", f"/api/v1/jobs/{ids[1]}"),
        web.post("/api/v1/jobs/requeue", json={"queue": "low", "event": "none"}),
        web.post("/api/v1/jobs/delete", json={"queue": "low"}),
    ):
        assert answer.status_code in {200, 201}
    entries = recorded(redis)
    assert [entry.what for entry in entries] == [
        "run", "pause", "resume", "requeue", "delete", "requeue all", "delete all",
    ]  # fmt: skip
    assert {(entry.actor.name, entry.actor.how) for entry in entries} == {("api", "api")}
    assert entries[-1].after == {"deleted": 4}
    assert (entries[4].before or {})["task"] == "tests.jobs.working.fail"


def test_what_changed_nothing_is_recorded_as_failed_with_the_reason(
    redis: Redis, web: Web, clock: Watched
) -> None:
    Queue("low", connection=redis).enqueue("tests.jobs.working.say", "x", job_id="running")
    start(redis, "running")
    for path, fields in (
        ("/requeue", {"job": "running"}),
        ("/requeue", {"job": "gone"}),
        ("/delete", {"job": "running", "sure": "1"}),
        ("/delete", {"job": "gone", "sure": "1"}),
        ("/stop", {"job": "gone", "sure": "1"}),
    ):
        web.post(path, data=fields)
    web.request("DELETE", "/api/v1/jobs/running")
    web.post("/api/v1/jobs/running/requeue")
    entries = recorded(redis)
    assert {entry.outcome for entry in entries} == {"failed"}
    reasons = [entry.reason for entry in entries]
    assert reasons == [
        "not a failed job", "not a failed job", "started", "unknown", "not a running job",
        "the job is running and cannot be deleted", "the job has not failed, it is started",
    ]  # fmt: skip
    assert redis.xlen("clock:test:audit") == 0


def test_reading_is_not_recorded(redis: Redis, web: Web, clock: Watched) -> None:
    for path in ("/", "/audit", "/api/v1/audit", "/api/v1/events", "/login", "/metrics"):
        assert web.get(path).status_code == 200
    assert not redis.keys("*audit*")


def test_a_log_line_says_the_same(
    web: Web, clock: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "clock"):
        web.post("/api/v1/events/ten/run")
    (line,) = [line for line in caplog.records if line.getMessage() == "audit"]
    fields: dict[str, Any] = line.__dict__["fields"]
    assert {name: str(value) for name, value in fields.items() if value is not None} == {
        "who": "api", "what": "run", "on": "ten", "outcome": "done", "how": "api",
        "source": "127.0.0.1",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["clock:test:audit", "clock:test:audit:failed"])
def test_actions_and_sign_ins_work_where_nothing_can_be_recorded(
    redis: Redis, web: Web, clock: Watched, key: str
) -> None:
    redis.set(key, "another type")
    assert web.post("/api/v1/events/ten/pause").status_code == 200
    assert web.request("DELETE", "/api/v1/jobs/gone").status_code == 404
    assert web.post("/login", data={"password": "a-token-of-tests"}).status_code == 303
    assert web.post("/login", data={"password": "wrong"}).status_code == 401
    assert redis.get(key) == b"another type"


def test_the_page_shows_the_entries_escaped_and_links_to_older_ones(
    redis: Redis, start_web: StartWeb, clock: Watched
) -> None:
    web = start_web()
    assert "Nobody did anything yet." in web.get("/audit").text
    for number in range(3):
        web.post("/pause", data={"event": "ten", "reason": f"{HOSTILE} {number}"})
    for _ in range(100):
        web.post("/requeue", data={"job": "gone"})
    web.post("/delete", data={"job": HOSTILE, "sure": "1"})
    text = web.get("/audit").text
    assert "<img" not in text
    assert str(escape(HOSTILE)) in text
    assert text.count("<tr>") == 1 + 100
    (older,) = [part.partition('"')[0] for part in text.split('href="')[1:] if "cursor=" in part]
    text = web.get(older.replace("&amp;", "&")).text
    assert (text.count("<tr>"), "Older" in text, "Latest" in text) == (1 + 4, False, True)
    assert str(escape(f"{HOSTILE} 2")) in text
    assert web.get("/audit?cursor=x").status_code == 400


def test_the_api_gives_the_entries_page_by_page(redis: Redis, web: Web, clock: Watched) -> None:
    for _ in range(5):
        web.post("/api/v1/events/ten/run")
    first = web.get("/api/v1/audit?limit=3").json()
    second = web.get(f"/api/v1/audit?limit=3&cursor={first['next']}").json()
    assert (len(first["entries"]), len(second["entries"]), second["next"]) == (3, 2, None)
    entry = first["entries"][0]
    assert {name: entry[name] for name in ("at", "by", "how", "source", "what", "on")} == {
        "at": "2027-01-15T08:00:30.000Z", "by": "api", "how": "api", "source": "127.0.0.1",
        "what": "run", "on": "ten",
    }  # fmt: skip
    assert (entry["outcome"], entry["reason"], entry["before"]) == ("done", "", None)
    assert web.get("/api/v1/audit?cursor=x").status_code == 400
