"""Jobs across queues over the API."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue

from clock.ledger.audit import read_audit
from tests.jobs.working import work_off
from tests.observe.rq.failing import NOW, fail
from tests.web.conftest import StartWeb
from tests.web.requests import Web

API = "/api/v1/jobs"


@pytest.fixture
def api(redis: Redis, start_web: StartWeb) -> Web:
    """The API at ``NOW``, with four failed jobs of two queues."""
    fail(redis, "a", "high", error="ValueError: order 1 not found", ago=30)
    fail(redis, "b", "low", error="ValueError: order 2 not found", ago=20)
    fail(redis, "c", "low", error="KeyError: 'x'", task="work.y", ago=10)
    fail(redis, "d", "high", error="KeyError: 'y'", event="nightly", ago=5)
    return start_web(now=lambda: NOW)


def ids(api: Web, query: str) -> list[str]:
    return [job["id"] for job in api.get(f"{API}?state=failed&{query}").json()["jobs"]]


def test_the_jobs_of_all_queues_are_listed_with_their_errors(api: Web) -> None:
    answer = api.get(f"{API}?state=failed&queue=*&limit=3").json()
    assert [job["id"] for job in answer["jobs"]] == ["d", "c", "b"]
    assert answer["jobs"][0]["error_line"] == "KeyError: 'y'"
    assert (answer["total"], answer["looked_at"]) == (4, 3)
    assert ids(api, f"queue=*&limit=3&cursor={answer['next']}") == ["a"]
    assert ids(api, "") == []  # of the queue "default", as in 0.1.0


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("error=KeyError", ["d", "c"]),
        ("text=ORDER", ["b", "a"]),
        ("task=work.y", ["c"]),
        ("event=nightly", ["d"]),
        ("since=2027-01-15T07:59:35Z&until=2027-01-15T07:59:52Z", ["c", "b"]),
    ],
)
def test_jobs_are_filtered(api: Web, query: str, names: list[str]) -> None:
    assert ids(api, f"queue=*&{query}") == names


def test_the_errors_are_grouped_and_a_group_can_be_changed(redis: Redis, api: Web) -> None:
    answer = api.get(f"{API}/groups").json()
    assert [(group["kind"], group["count"]) for group in answer["groups"]] == [
        ("ValueError", 2),
        ("KeyError", 1),
        ("KeyError", 1),
    ]
    assert (answer["total"], answer["looked_at"], answer["left_out"]) == (4, 4, 0)
    group = answer["groups"][0]
    assert (group["tasks"], group["queues"], group["example"]) == (["work.x"], ["high", "low"], "b")
    assert (group["first"], group["last"]) == (
        "2027-01-15T07:59:30.000Z",
        "2027-01-15T07:59:40.000Z",
    )
    assert api.post(f"{API}/requeue", json={"group": group["id"]}).json()["requeued"] == 2
    assert ids(api, "queue=*") == ["d", "c"]


def test_chosen_jobs_are_requeued_and_deleted(redis: Redis, api: Web) -> None:
    body = {"ids": ["a", "c", "nobody"]}
    assert api.post(f"{API}/requeue", json=body).json() == {"requeued": 2, "is_more": False}
    assert [redis.llen(f"rq:queue:{name}") for name in ("high", "low")] == [1, 1]
    assert api.post(f"{API}/delete", json={"ids": ["b", "d", "b"]}).json()["deleted"] == 2
    assert ids(api, "queue=*") == []
    entries = read_audit(redis, "test", 9).entries
    assert [(entry.what, entry.on) for entry in entries] == [
        ("delete chosen", "b, d, b"),
        ("requeue chosen", "a, c, nobody"),
    ]


def test_all_that_match_on_every_queue_are_deleted(redis: Redis, api: Web) -> None:
    assert api.post(f"{API}/delete", json={"error": "KeyError"}).json()["deleted"] == 2
    assert api.post(f"{API}/delete", json={"queue": "*"}).json()["deleted"] == 2
    assert redis.keys("rq:job:*") == []
    assert [entry.on for entry in read_audit(redis, "test", 9).entries] == [
        "all queues",
        "error KeyError",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["a"], "queue": "high"},
        {"ids": ["a b"]},
        {"ids": ["a"] * 1001},
        {"since": "tomorrow"},
        {"since": "2027-01-15T07:59:35"},
        {"state": "failed"},
    ],
)
def test_a_request_that_names_no_jobs_clearly_changes_none(
    redis: Redis, api: Web, body: dict[str, Any]
) -> None:
    for action in ("requeue", "delete"):
        assert api.post(f"{API}/{action}", json=body).status_code == 422
    assert len(ids(api, "queue=*")) == 4


def test_an_instant_of_the_address_without_an_offset_is_rejected(api: Web) -> None:
    assert api.get(f"{API}?since=2027-01-15T07:59:35").status_code == 400


def test_one_job_has_its_attempts_its_result_and_its_relations(
    redis: Redis, start_web: StartWeb
) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue("tests.jobs.working.say", "a word", job_id="first")
    queue.enqueue("tests.jobs.working.fail", job_id="second", depends_on=first)
    work_off(redis)
    queue.enqueue("tests.jobs.working.say", job_id="third", depends_on="second")
    known = start_web(arguments=True).get(f"{API}/first").json()
    assert (known["has_result"], known["result"]) == (True, "a word")
    assert known["dependents"] == []
    hidden = start_web().get(f"{API}/first").json()
    assert (hidden["has_result"], hidden["result"]) == (True, None)
    failed = start_web().get(f"{API}/second").json()
    assert (failed["dependencies"], failed["dependents"]) == (["first"], ["third"])
    (attempt,) = failed["attempts"]
    assert (attempt["outcome"], attempt["error"]) == ("failed", "ValueError: no such feed")
