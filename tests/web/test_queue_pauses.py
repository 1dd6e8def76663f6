"""Pausing a queue, over the API."""

from __future__ import annotations

from redis import Redis
from rq import Queue

from clock import keys
from clock.ledger.audit import read_audit
from clock.ledger.queue_pauses import read_queue_pauses
from tests.loop.heartbeat import Watched
from tests.web.requests import Web

API = "/api/v1"


def test_a_queue_is_paused_and_resumed(redis: Redis, web: Web) -> None:
    Queue("a/b ü", connection=redis).enqueue("tests.jobs.working.say")
    body = {"reason": "the shop moves"}
    paused = web.post(f"{API}/queues/a%2Fb%20%C3%BC/pause", json=body).json()["paused"]
    assert (paused["reason"], paused["until"]) == ("the shop moves", None)
    assert web.get(f"{API}/queues").json()["queues"][0]["paused"] == paused
    answer = web.post(f"{API}/queues/a%2Fb%20%C3%BC/resume").json()
    assert answer == {"was_paused": paused}
    assert web.post(f"{API}/queues/a%2Fb%20%C3%BC/resume").json() == {"was_paused": None}
    assert read_queue_pauses(redis) == {}
    entries = [(entry.what, entry.on) for entry in read_audit(redis, "test", 9).entries]
    assert entries[::-1] == [("pause queue", "a/b ü"), *[("resume queue", "a/b ü")] * 2]


def test_the_queue_of_an_event_can_be_paused_before_it_has_jobs(
    redis: Redis, web: Web, clock: Watched
) -> None:
    redis.delete("rq:queues")
    assert web.post(f"{API}/queues/default/pause").status_code == 200


def test_a_queue_that_nobody_knows_is_not_paused(redis: Redis, web: Web) -> None:
    assert web.post(f"{API}/queues/defualt/pause").status_code == 404
    assert web.post(f"{API}/queues/defualt/resume").status_code == 404
    assert read_queue_pauses(redis) == {}


def test_the_number_of_paused_queues_is_bounded(redis: Redis, web: Web) -> None:
    Queue(connection=redis).enqueue("tests.jobs.working.say")
    line = '{"reason": "", "by": "x", "since": 1}'
    redis.hset("rq:clock_paused", mapping={f"q{n}": line for n in range(keys.PAUSED_QUEUES)})
    assert web.post(f"{API}/queues/default/pause").status_code == 409
    assert web.post(f"{API}/queues/q1/pause").status_code == 200
