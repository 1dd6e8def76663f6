"""Events over the API: pages of them, why, pauses, backfills."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from clock.instant import utc_text
from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Outcome
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

EVENTS = "/api/v1/events"


def at(second: int) -> str:
    """The instant ``second`` after START."""
    return utc_text(int(START) + second)


@pytest.fixture
def web(redis: Redis, read: ReadSchedule, start_web: StartWeb) -> Web:
    """The application ``test``, five seconds after a clock was away from 20 to 100."""
    schedule = read(
        "every('10 seconds', 'tasks.sync', name='ten', catch_up='none', queue='io')",
        *(
            f"every('day', 'tasks.report', name='daily {n}', at='0{n}:00', queue='q{n % 2}')"
            for n in range(1, 7)
        ),
    )
    watched = Watched(redis, schedule)
    watched.turn([*range(21), 100])
    return start_web(now=lambda: START + 105)


def get(web: Web, path: str, **query: Any) -> Any:
    answer = web.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(answer: Any) -> list[str]:
    return [event["event"] for event in answer["events"]]


def test_pages_together_have_every_event_once_in_every_order(web: Web) -> None:
    everything = get(web, "/events")
    assert (everything["total"], everything["next"]) == (7, None)
    assert names(everything)[0] == "ten"
    for sort in ({}, {"sort": "name"}, {"sort": "-name"}, {"sort": "next"}, {"sort": "-last"}):
        paged: list[str] = []
        query: dict[str, Any] = {"limit": 3, **sort}
        while True:
            page = get(web, "/events", **query)
            assert (page["total"], len(page["events"]) <= 3) == (7, True)
            paged += names(page)
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert paged == names(get(web, "/events", **sort))
        assert sorted(paged) == sorted(names(everything))
    assert names(get(web, "/events", sort="-name"))[0] == "ten"


def test_events_are_searched_and_filtered(web: Web) -> None:
    assert names(get(web, "/events", q="REPORT daily 3")) == ["daily 3"]
    assert names(get(web, "/events", queue="io")) == ["ten"]
    assert names(get(web, "/events", state="never run", queue="q0", limit=2, sort="-name")) == [
        "daily 6",
        "daily 4",
    ]
    assert get(web, "/events", q="nothing", limit=5) == {"events": [], "total": 0, "next": None}


def test_a_page_goes_on_where_an_event_was_removed(
    web: Web, redis: Redis, read: ReadSchedule
) -> None:
    page = get(web, "/events", limit=3, sort="name")
    assert names(page) == ["daily 1", "daily 2", "daily 3"]
    redis.hdel("clock:test:events", "daily 3")
    following = get(web, "/events", limit=3, sort="name", cursor=page["next"])
    assert names(following) == ["daily 4", "daily 5", "daily 6"]


@pytest.mark.parametrize(
    "cursor", ["x", "é", "W10", "WzEsMV0", "WyJ4IiwieCJd", "Wy0xLCJ4Il0", "A" * 2999]
)
def test_a_cursor_that_no_page_gave_is_a_problem(web: Web, cursor: str) -> None:
    answer = web.get(EVENTS, params={"limit": 3, "cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/v1/docs#invalid-cursor")
    assert web.get(EVENTS, params={"cursor": cursor}).status_code == 400


def test_a_decision_has_its_reason_its_job_and_its_outcome(web: Web, redis: Redis) -> None:
    fired = get(web, "/events/ten/history")["decisions"][-1]
    assert (fired["kind"], fired["outcome"], fired["error"]) == ("fired", None, None)
    run = Run(
        event="ten", scheduled=int(START) + 10, enqueued=START + 10, started=START + 10,
        ended=START + 12, outcome=RunOutcome.FAILED, error="ValueError: no", attempt=1,
        worker="w", job=fired["job"],
    )  # fmt: skip
    write_run(redis, "test", run)
    decisions = get(web, "/events/ten/history")["decisions"]
    assert (decisions[-1]["outcome"], decisions[-1]["error"]) == ("failed", "ValueError: no")
    missed = next(decision for decision in decisions if decision["kind"] == "missed")
    assert "no clock could claim it" in missed["reason"]
    assert missed["job"] is None


def test_why_says_what_became_of_an_occurrence(web: Web) -> None:
    fired = get(web, "/events/ten/why", at=at(10))
    assert (fired["verdict"], fired["at"], fired["lateness"]) == ("fired", at(10), 0.0)
    assert fired["said"].startswith("fired, 0.000 s late, as job ten-")
    missed = get(web, "/events/ten/why", at="2027-01-15T09:00:50+01:00")
    assert (missed["verdict"], missed["count"]) == ("missed", 8)
    assert missed["no_clock"] == {"from": at(20), "until": at(100)}
    assert get(web, "/events/ten/why")["at"] == at(100)
    assert web.get(f"{EVENTS}/ten/why?at=2027-01-15T09:00").status_code == 400
    assert web.get(f"{EVENTS}/nobody/why").status_code == 404


def test_pauses_are_listed_of_all_events_and_of_one(web: Web) -> None:
    for body in ({"reason": "first"}, {"reason": "second", "for": 60}):
        assert web.post(f"{EVENTS}/ten/pause", json=body).status_code == 200
    (paused,) = get(web, "/pauses")["pauses"]
    assert (paused["event"], paused["reason"], paused["until"]) == ("ten", "second", at(165))
    web.post(f"{EVENTS}/ten/resume")
    assert get(web, "/pauses")["pauses"] == []
    known = get(web, "/events/ten/pauses")["pauses"]
    assert [pause["reason"] for pause in known] == ["second", "first"]
    assert get(web, "/events/daily%201/pauses")["pauses"] == []


def test_a_span_is_shown_and_then_backfilled_once(web: Web, redis: Redis) -> None:
    waiting = redis.llen("rq:queue:io")
    body = {"from": at(5), "until": at(95)}
    shown = web.post(f"{EVENTS}/ten/backfill", json=body | {"dry_run": True}).json()
    assert shown["enqueued"] == 0
    assert [one["standing"] for one in shown["occurrences"]] == ["fired"] * 2 + ["open"] * 7
    assert shown["occurrences"][2] == {"scheduled_at": at(30), "was": "missed", "standing": "open"}
    assert redis.llen("rq:queue:io") == waiting
    done = web.post(f"{EVENTS}/ten/backfill", json=body).json()
    assert done == shown | {"enqueued": 7}
    assert redis.llen("rq:queue:io") == waiting + 7
    again = web.post(f"{EVENTS}/ten/backfill", json=body).json()
    assert (again["enqueued"], again["occurrences"][-1]["standing"]) == (0, "backfilled")
    second, first = read_audit(redis, "test", 5).entries
    assert (first.what, first.on, first.outcome) == ("backfill", "ten", Outcome.DONE)
    assert first.after == {"from": at(5), "until": at(95), "enqueued": 7}
    assert second.after == {"from": at(5), "until": at(95), "enqueued": 0}


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        ("ten", {"from": "2027-01-15T09:00"}, "invalid-value"),
        ("ten", {"until": "2027-01-15T09:00Z"}, "invalid-value"),
        ("ten", {"from": "2028-01-15T09:00Z"}, "invalid-span"),
        ("ten", {"from": "1960-01-15T09:00Z"}, "invalid-span"),
        ("ten", {"from": "2026-01-15T09:00Z"}, "invalid-span"),
        ("nobody", {"from": "2027-01-15T08:00Z"}, "unknown-event"),
    ],
)
def test_a_span_that_cannot_be_backfilled_is_a_problem(
    web: Web, name: str, body: dict[str, Any], problem: str
) -> None:
    for dry_run in (True, False):
        answer = web.post(f"{EVENTS}/{name}/backfill", json=body | {"dry_run": dry_run})
        assert answer.json()["type"] == f"/api/v1/docs#{problem}", answer.text
