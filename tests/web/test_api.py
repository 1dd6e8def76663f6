"""The JSON API in this process, over a real server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Worker

from clock.jobs.rq_versions import IS_RQ_2
from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Outcome
from clock.ledger.pauses import read_pauses
from clock.runs.output import RunOutput, write_output
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.web.guard import LARGEST
from tests.conftest import ReadSchedule
from tests.jobs.working import start, work_off
from tests.live.port import free_port
from tests.live.waiting import wait_for
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

API = "/api/v1"


def test_the_status_is_read_from_the_ledger(web: Web, clock: Watched) -> None:
    status = _get(web, "/status")
    assert (status["healthy"], status["events"], status["overdue"]) == (True, 2, [])
    assert status["last_tick"] == "2027-01-15T08:00:20.000Z"
    idle = {
        "kind": "without a worker", "name": "default", "since": None, "job": None,
        "line": "no worker listens on this queue of 2 events",
    }  # fmt: skip
    assert status["attention"] == {"count": 1, "items": [idle]}


def test_every_event_is_listed_and_read_whatever_its_name(web: Web, clock: Watched) -> None:
    events = _get(web, "/events")["events"]
    assert [event["event"] for event in events] == ["ten", "a/b ü"]
    assert _get(web, "/events/a%2Fb%20%C3%BC") == events[1]
    assert _get(web, "/events?state=never%20run")["events"] == [events[1]]
    assert (events[0]["state"], events[0]["counters"]["fired"]) == ("on time", 2)


def test_an_event_has_runs_statistics_history_and_upcoming_times(
    redis: Redis, web: Web, clock: Watched
) -> None:
    for number in range(3):
        write_run(redis, "test", _run(number))
    runs = _get(web, "/events/ten/runs?limit=2")["runs"]
    assert [run["job"] for run in runs] == ["j2", "j1"]
    statistics = _get(web, "/events/ten/statistics?window=60")
    assert (statistics["runs"], statistics["failures"], statistics["duration"]["maximum"]) == (
        3,
        1,
        2.0,
    )
    assert _get(web, "/events/ten")["state"] == "failing"
    failing = _get(web, "/status")["attention"]["items"][0]
    assert (failing["kind"], failing["name"], failing["job"]) == ("failing", "ten", "j2")
    assert failing["since"] == "2027-01-15T08:00:20Z"
    assert [decision["kind"] for decision in _get(web, "/events/ten/history")["decisions"]] == [
        "fired"
    ] * 2
    upcoming = _get(web, "/events/ten/upcoming?count=2")["upcoming"]
    assert [occurrence["scheduled_at"] for occurrence in upcoming] == [
        "2027-01-15T08:00:40Z",
        "2027-01-15T08:00:50Z",
    ]


def test_the_week_is_counted_by_the_minute(web: Web, clock: Watched) -> None:
    load = _get(web, "/load?days=1")
    assert (len(load["counts"]), load["total"]) == (1440, 8641)
    assert load["worst"][0] == {
        "minute": "2027-01-16T01:30:00Z", "count": 7, "events": ["ten", "a/b ü"],
    }  # fmt: skip


def test_run_enqueues_the_job_once_for_each_key(redis: Redis, web: Web, clock: Watched) -> None:
    before = redis.llen("rq:queue:default")
    headers = {"Idempotency-Key": "k-1"}
    jobs = [web.post(f"{API}/events/ten/run", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in jobs] == [201, 201]
    assert jobs[0].json() == jobs[1].json()
    assert redis.llen("rq:queue:default") == before + 1
    assert web.post(f"{API}/events/ten/run").json() != jobs[0].json()


def test_running_an_event_that_no_clock_has_enrolled_is_a_conflict(
    redis: Redis, web: Web, clock: Watched
) -> None:
    before = redis.llen("rq:queue:default")
    redis.delete("clock:test:templates")
    answer = web.post(f"{API}/events/ten/run")
    _problem(answer, 409)
    assert answer.json()["detail"] == "the job of 'ten' is not in the ledger; start its clock once"
    assert redis.llen("rq:queue:default") == before


def test_pause_and_resume_are_in_the_ledger(redis: Redis, web: Web, clock: Watched) -> None:
    body = {"reason": "<b>moving</b>", "for": "1h", "by": "ada"}
    answer = web.post(f"{API}/events/a%2Fb%20%C3%BC/pause", json=body)
    assert answer.status_code == 200
    pause = read_pauses(redis, "test")["a/b ü"]
    # Whoever the caller says it is.
    assert (pause.until, pause.reason, pause.by) == (int(START) + 30 + 3600, body["reason"], "api")
    assert _get(web, "/events/a%2Fb%20%C3%BC")["paused"] == answer.json()["paused"]
    assert web.post(f"{API}/events/a%2Fb%20%C3%BC/resume").json()["was_paused"]["by"] == "api"
    assert web.post(f"{API}/events/a%2Fb%20%C3%BC/resume").json() == {"was_paused": None}
    assert read_pauses(redis, "test") == {}


def test_a_pause_without_a_body_has_no_end_and_names_its_author(
    redis: Redis, web: Web, clock: Watched
) -> None:
    assert web.post(f"{API}/events/ten/pause").status_code == 200
    pause = read_pauses(redis, "test")["ten"]
    assert (pause.until, pause.reason, pause.by) == (None, "", "api")


@pytest.mark.parametrize(
    "body",
    [
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2030-01-01T00:00:00"},
        {"until": "tomorrow"},
        {"until": "9999-12-31T23:59:59-23:00"},
        {"until": "2030-01-01T00:00:00Z", "for": 5},
        {"for": 0},
        {"for": "never"},
        {"for": 10**11},
        {"reason": "x" * 501},
        {"reason": 5},
        {"untill": "2030-01-01T00:00:00Z"},
        [],
    ],
)
def test_an_invalid_pause_is_rejected(web: Web, clock: Watched, redis: Redis, body: Any) -> None:
    _problem(web.post(f"{API}/events/ten/pause", json=body), 422)
    assert read_pauses(redis, "test") == {}


def test_queues_workers_and_running_jobs_are_listed(redis: Redis, start_web: StartWeb) -> None:
    web = start_web(now=time.time)
    queue = Queue("io", connection=redis)
    running = queue.enqueue("tests.jobs.working.say")
    start(redis, running.id)
    queue.enqueue("tests.jobs.working.say")
    Worker(["io"], connection=redis, name="one").register_birth()  # type: ignore[no-untyped-call]
    (state,) = _get(web, "/queues")["queues"]
    assert (state["queue"], state["waiting"], state["started"], state["workers"]) == ("io", 1, 1, 1)
    assert state["age"] < 60
    assert [worker["name"] for worker in _get(web, "/workers")["workers"]] == ["one"]
    assert [job["id"] for job in _get(web, "/running")["jobs"]] == [running.id]


def test_the_queue_of_an_event_is_listed_before_any_job_is_on_it(
    redis: Redis, read: ReadSchedule, web: Web
) -> None:
    Watched(redis, read("every('day', 'tasks.x', at='04:00', queue='nightly')")).turn([0])
    (queue,) = _get(web, "/queues")["queues"]
    assert (queue["queue"], queue["waiting"]) == ("nightly", 0)
    assert "<b>nightly</b>" in web.get("/queues").text


def test_the_pages_of_jobs_have_every_job_once(redis: Redis, start_web: StartWeb) -> None:
    web = start_web(now=time.time)
    ids = [Queue(connection=redis).enqueue("tests.jobs.working.say").id for _ in range(5)]
    first = _get(web, "/jobs?limit=3")
    second = _get(web, f"/jobs?limit=3&cursor={first['next']}")
    assert [job["id"] for page in (first, second) for job in page["jobs"]] == ids
    assert (first["total"], second["next"]) == (5, None)


@pytest.mark.parametrize("shows", [False, True])
def test_the_arguments_of_a_job_are_shown_only_where_that_is_enabled(
    redis: Redis, start_web: StartWeb, shows: bool
) -> None:
    web = start_web(arguments=shows, now=time.time)
    job = Queue(connection=redis).enqueue("tests.jobs.working.say", "s3cret", word={"a": 1.5})
    answer = web.get(f"{API}/jobs/{job.id}")
    assert ("s3cret" in answer.text) is shows
    assert "s3cret" not in web.get(f"{API}/jobs").text
    assert answer.json()["task"] == "tests.jobs.working.say"


def test_the_output_of_each_attempt_is_read_also_when_the_job_is_gone(
    redis: Redis, web: Web
) -> None:
    for attempt, outcome in ((2, RunOutcome.FAILED), (1, RunOutcome.RETRIED)):
        output = RunOutput(
            job="gone",
            attempt=attempt,
            event=None,
            outcome=outcome,
            ended=START + attempt,
            text=f"attempt {attempt}\n",
            written=100_000,
        )
        write_output(redis, "test", output, 2**20)
    first, second = _get(web, "/jobs/gone/output")["outputs"]
    assert first == {
        "job": "gone",
        "attempt": 1,
        "event": None,
        "outcome": "retried",
        "ended_at": "2027-01-15T08:00:01.000Z",
        "text": "attempt 1\n",
        "written": 100_000,
        "is_cut": True,
    }
    assert second["text"] == "attempt 2\n"
    _problem(web.get(f"{API}/jobs/other/output"), 404)


def test_a_failed_job_is_requeued_and_deleted(redis: Redis, start_web: StartWeb) -> None:
    web = start_web(now=time.time)
    job = Queue(connection=redis).enqueue("tests.jobs.working.fail")
    _problem(web.post(f"{API}/jobs/{job.id}/requeue"), 409)
    work_off(redis)
    assert "no such feed" in _get(web, f"/jobs/{job.id}")["error"]
    assert web.post(f"{API}/jobs/{job.id}/requeue").json() == {"requeued": 1, "is_more": False}
    assert redis.llen("rq:queue:default") == 1
    assert web.request("DELETE", f"{API}/jobs/{job.id}").json() == {"deleted": 1, "is_more": False}
    _problem(web.get(f"{API}/jobs/{job.id}"), 404)
    _problem(web.request("DELETE", f"{API}/jobs/{job.id}"), 404)


def test_a_running_job_is_not_deleted(redis: Redis, start_web: StartWeb) -> None:
    web = start_web(now=time.time)
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    start(redis, job.id)
    _problem(web.request("DELETE", f"{API}/jobs/{job.id}"), 409)


def test_all_jobs_of_a_filter_are_requeued_or_deleted(redis: Redis, start_web: StartWeb) -> None:
    web = start_web(now=time.time)
    for task in ("fail", "fail", "missing"):
        Queue(connection=redis).enqueue(f"tests.jobs.working.{task}")
    work_off(redis)
    body = {"queue": "default", "task": "tests.jobs.working.missing"}
    assert web.post(f"{API}/jobs/delete", json=body).json()["deleted"] == 1
    assert web.post(f"{API}/jobs/requeue", json={"queue": "default"}).json()["requeued"] == 2


def test_a_job_is_enqueued_once_for_each_key(redis: Redis, web: Web) -> None:
    body = {"task": "tests.jobs.working.say", "args": ["hello"], "queue": "io", "timeout": "5m"}
    headers = {"Idempotency-Key": '"order-7"'}
    first = web.post(f"{API}/jobs", json=body, headers=headers)
    again = web.post(f"{API}/jobs", json=body, headers=headers)
    assert (first.status_code, first.json()) == (201, {"id": "order-7", "is_new": True})
    assert (again.status_code, again.json()) == (200, {"id": "order-7", "is_new": False})
    assert redis.lrange("rq:queue:io", 0, -1) == [b"order-7"]
    work_off(redis, "io")
    job = Queue("io", connection=redis).fetch_job("order-7")
    assert job is not None
    assert job.return_value() == "hello"


def test_a_list_is_enqueued_whole_and_in_order_or_not_at_all(redis: Redis, web: Web) -> None:
    one = {"task": "tests.jobs.working.say"}
    bad = {"task": "tests.jobs.working.say", "timeout": "soon"}
    _problem(web.post(f"{API}/jobs", json=[one, bad]), 422)
    _problem(web.post(f"{API}/jobs", json=[one, {"task": "os.system"}]), 403)
    assert redis.llen("rq:queue:default") == 0
    answer = web.post(f"{API}/jobs", json=[one, one], headers={"Idempotency-Key": "k"})
    assert [job["id"] for job in answer.json()["jobs"]] == ["k-0", "k-1"]
    assert redis.lrange("rq:queue:default", 0, -1) == [b"k-0", b"k-1"]


def test_a_job_waits_for_an_instant_for_others_or_for_a_place(redis: Redis, web: Web) -> None:
    one = {"task": "tests.jobs.working.say", "args": ["hello"]}
    bodies = [
        {**one, "id": "first", "group": "feeds"},
        {**one, "id": "after", "depends_on": "first"},
        {**one, "id": "always", "depends_on": {"jobs": ["first"], "allow_failure": True}},
        {**one, "id": "later", "at": "2126-11-21T18:00+09:00"},
        {**one, "id": "again", "repeat": {"times": 2, "interval": ["1m", 120]}},
        {**one, "id": "tried", "retry": {"max": 2, "interval": "1m"}},
    ]
    answer = web.post(f"{API}/jobs", json=bodies)
    assert answer.status_code == 201, answer.text
    queue = Queue(connection=redis)
    assert queue.job_ids == ["first", "again", "tried"]
    assert sorted(queue.deferred_job_registry.get_job_ids()) == ["after", "always"]
    assert redis.zscore("rq:scheduled:default", "later") == 4950925200
    assert redis.smembers("rq:group:feeds") == {b"first"}
    again, tried, always = map(queue.fetch_job, ("again", "tried", "always"))
    assert again is not None
    assert (again.repeats_left, again.repeat_intervals) == (2, [60, 120])
    assert tried is not None
    assert (tried.retries_left, tried.retry_intervals) == (2, [60])
    assert always is not None
    assert always.allow_dependency_failures
    work_off(redis, "default")
    assert {queue.fetch_job(name).return_value() for name in ("after", "always")} == {"hello"}  # type: ignore[union-attr]


def test_a_job_of_a_list_may_depend_on_one_before_it(redis: Redis, web: Web) -> None:
    jobs = [_ONE, {**_ONE, "depends_on": ["k-0"]}]
    answer = web.post(f"{API}/jobs", json=jobs, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
    assert Queue(connection=redis).deferred_job_registry.get_job_ids() == ["k-1"]


@pytest.mark.skipif(IS_RQ_2, reason="RQ 2 has no rate limits")
def test_jobs_with_one_rate_limit_are_queued_as_far_as_it_allows(redis: Redis, web: Web) -> None:
    limit = {"key": "mail", "concurrency": 2}
    body = {"task": "tests.jobs.working.say", "args": ["hello"], "rate_limit": limit}
    assert web.post(f"{API}/jobs", json=[body] * 3).status_code == 201
    assert len(Queue(connection=redis).job_ids) == 2


_ONE: Any = {"task": "tests.jobs.working.say", "args": ["hello"]}
_OTHER: Any = {"task": "tests.jobs.working.say", "args": ["good bye"]}


@pytest.mark.parametrize(
    ("body", "other"),
    [
        (_ONE, _OTHER),
        (_ONE, {**_ONE, "delay": 60}),
        (_ONE, [_ONE]),
        ([_ONE], _ONE),
        ([_ONE, _ONE], [_ONE, _OTHER]),
        ([_ONE, _ONE], [_ONE]),
        ([_ONE], [_ONE, _ONE]),
    ],
)
def test_a_key_reused_with_another_body_is_rejected(
    redis: Redis, web: Web, body: Any, other: Any
) -> None:
    headers = {"Idempotency-Key": "k"}
    assert web.post(f"{API}/jobs", json=body, headers=headers).status_code == 201
    before = _everything(redis)
    answer = web.post(f"{API}/jobs", json=other, headers=headers)
    _problem(answer, 422)
    assert answer.json()["detail"] == "Idempotency-Key: the key 'k' was used for another request"
    assert _everything(redis) == before
    assert web.post(f"{API}/jobs", json=body, headers=headers).status_code == 200


def test_a_changed_list_is_rejected_even_if_its_first_job_is_gone(redis: Redis, web: Web) -> None:
    headers = {"Idempotency-Key": "k"}
    web.post(f"{API}/jobs", json=[_ONE, _ONE], headers=headers)
    redis.delete("rq:queue:default", "rq:job:k-0")
    redis.hset("rq:job:k-1", mapping={"data": "x", "clock_request": "k other"})
    _problem(web.post(f"{API}/jobs", json=[_ONE, _ONE, _ONE], headers=headers), 422)
    assert redis.llen("rq:queue:default") == 0


def test_the_same_body_in_another_order_is_the_same_request(redis: Redis, web: Web) -> None:
    headers = {"Idempotency-Key": "k"}
    web.post(f"{API}/jobs", json=_ONE, headers=headers)
    body = dict(reversed(_ONE.items()))
    assert web.post(f"{API}/jobs", json=body, headers=headers).json() == {
        "id": "k",
        "is_new": False,
    }


def test_requests_with_different_keys_do_not_conflict(redis: Redis, web: Web) -> None:
    for key in ("k-0", "k-1", "k"):
        answer = web.post(f"{API}/jobs", json=_ONE, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, key
    answer = web.post(f"{API}/jobs", json=[_ONE], headers={"Idempotency-Key": "k"})
    _problem(answer, 422)


def test_a_key_that_an_older_version_used_returns_its_job(redis: Redis, web: Web) -> None:
    Queue(connection=redis).enqueue("tests.jobs.working.say", job_id="k")
    answer = web.post(f"{API}/jobs", json=_ONE, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()) == (200, {"id": "k", "is_new": False})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"task": "os.system", "args": ["id"]}, 403),
        ({"task": "tests.jobs.working.say", "on_success": "os.abort"}, 422),
        ({"task": "tests.jobs.working.say", "meta": {"clock": {"event": "ten"}}}, 422),
        ({"task": "tests.jobs.working.say", "id": "a b"}, 422),
        ({"task": "tests.jobs.working.say", "id": "ten-0a1b2c3d4e-20270115T080040Z"}, 422),
        ({"task": "tests.jobs.working.say", "id": "ten-0a1b2c3d4e-manual-x"}, 422),
        ({"task": "tests.jobs.working.say", "queue": "a", "priority": "high"}, 422),
        ({"task": "tests.jobs.working.say", "unique": "always"}, 422),
        ({"task": "tests.jobs.working.say", "args": {}}, 422),
        ({"task": "tests.jobs.working.say", "at": "2126-11-21T18:00"}, 422),
        ({"task": "tests.jobs.working.say", "at": "9999-12-31T23:59-12:00"}, 422),
        ({"task": "tests.jobs.working.say", "at": "tomorrow"}, 422),
        ({"task": "tests.jobs.working.say", "depends_on": []}, 422),
        ({"task": "tests.jobs.working.say", "depends_on": "a", "delay": 60}, 422),
        ({"task": "tests.jobs.working.say", "repeat": {"times": 0}}, 422),
        ({"task": "tests.jobs.working.say", "on_stopped": "os.abort"}, 422),
        ({"task": 5}, 422),
        ({}, 422),
        ([], 422),
        ("x", 422),
        (None, 422),
        ([{"task": "tests.jobs.working.say"}] * 101, 422),
    ],
)
def test_an_invalid_job_is_rejected(redis: Redis, web: Web, body: Any, status: int) -> None:
    answer = web.post(f"{API}/jobs", json=body)
    _problem(answer, 400 if body is None else status)
    assert not redis.keys("rq:queue:*")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"task": NaN}', "application/json", 400),
        (b'{"task": "\\ud800"}', "application/json", 400),
        (b'{"task": 1' + b"0" * 5000 + b"}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"task": "a\\u0000b"}', "application/json", 403),
        (b"{}", "text/plain", 415),
        (b"task=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b"", "application/json", 400),
        (b" " * (LARGEST + 1), "application/json", 413),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_body_is_rejected(web: Web, content: bytes, kind: str, status: int) -> None:
    answer = web.post(f"{API}/jobs", content=content, headers={"content-type": kind})
    _problem(answer, status)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/jobs?limit=0", 400),
        ("/jobs?limit=x", 400),
        ("/jobs?limit=1e3", 400),
        ("/jobs?limit=" + "9" * 5000, 400),
        ("/jobs?limit=5&limit=6", 400),
        ("/jobs?limt=5", 400),
        ("/jobs?state=lost", 400),
        ("/jobs?cursor=x", 400),
        ("/jobs?state=failed&cursor=bmFuIGE", 400),
        ("/jobs/%00", 404),
        ("/jobs/..%2F..%2Fetc", 404),
        ("/events/nobody", 404),
        ("/events/ten%00", 404),
        ("/events/%FF%FE/runs", 404),
        ("/events/" + "x" * 5000, 404),
        ("/nothing", 404),
        ("/", 404),
    ],
)
def test_an_invalid_path_or_parameter_is_a_problem(
    web: Web, clock: Watched, address: str, status: int
) -> None:
    _problem(web.get(API + address), status)


def test_an_unsupported_method_is_a_problem(web: Web) -> None:
    answer = web.request("PUT", f"{API}/queues")
    _problem(answer, 405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "key",
    [
        *("a b", "x" * 200, '"', "a:b", "é"),
        *("ten-0a1b2c3d4e-20270115T080040Z", "0a1b2c3d4e-20270115T080040Z", "0a1b2c3d4e-manual-x"),
    ],
)
def test_a_key_that_is_not_a_valid_id_is_rejected(web: Web, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    answer = web.post(f"{API}/jobs", json={"task": "tests.jobs.working.say"}, headers=headers)
    _problem(answer, 400)


def test_nothing_changes_unless_actions_are_enabled(
    redis: Redis, start_web: StartWeb, clock: Watched
) -> None:
    web = start_web(actions=False)
    before = _everything(redis)
    for method, path in _writing():
        _problem(web.request(method, API + path), 403)
    assert _everything(redis) == before


def test_nothing_is_returned_without_valid_credentials(start_web: StartWeb, clock: Watched) -> None:
    for method, path in [*_reading(), *_writing()]:
        # Another one each time: after five wrong tokens the next one has to wait.
        web = start_web()
        answer = web.request(method, API + path, headers={"authorization": "Bearer wrong"})
        _problem(answer, 401)
        assert "ten" not in answer.text


def test_reading_writes_nothing(redis: Redis, start_web: StartWeb, clock: Watched) -> None:
    web = start_web(now=lambda: time.time() + 400 * 86_400)
    for task in ("say", "fail"):
        Queue(connection=redis).enqueue(f"tests.jobs.working.{task}")
        work_off(redis)
    before = _everything(redis)
    redis.config_resetstat()
    for _method, path in _reading():
        assert web.get(API + path).status_code in {200, 404}, path
    used = {name.removeprefix("cmdstat_") for name in redis.info("commandstats")}
    assert used - {"config|resetstat", "client|setinfo", "hello", "info"} <= _READING
    assert _everything(redis) == before


def test_while_the_server_is_away_responses_have_retry_after(start_web: StartWeb) -> None:
    with Redis(port=free_port()) as nobody:
        web = start_web(nobody)
        for method, path in [("GET", "/events"), ("GET", "/queues"), ("POST", "/jobs")]:
            body = {"task": "tests.jobs.working.say"} if method == "POST" else None
            answer = web.request(method, API + path, json=body)
            _problem(answer, 503)
            assert int(answer.headers["retry-after"]) > 0


def test_a_queue_key_of_another_type_is_a_conflict(redis: Redis, web: Web) -> None:
    redis.set("rq:queue:default", "text")
    _problem(web.post(f"{API}/jobs", json={"task": "tests.jobs.working.say"}), 409)


def test_the_number_of_commands_is_the_same_for_one_event_and_for_many(
    redis: Redis, read: Any, start_web: StartWeb
) -> None:
    web, counts = start_web(), []
    for number in (1, 200):
        redis.flushall()
        lines = f"for i in range({number}): every('day', 'tasks.x', at='04:00', name=f'n{{i}}')"
        Watched(redis, read(lines)).turn([0])
        _get(web, "/queues")
        redis.config_resetstat()
        assert len(_get(web, "/events")["events"]) == number
        calls = redis.info("commandstats")
        counts.append({name: calls[name]["calls"] for name in calls if name != "cmdstat_lrange"})
        # One last run an event, all of them in one round trip.
        assert calls["cmdstat_lrange"]["calls"] == number
    assert counts[0] == counts[1]


_READING = {
    "multi", "exec", "hgetall", "hget", "hmget", "hlen", "lrange", "llen", "lpos", "type",
    "smembers", "zcard", "zcount", "zrange", "zrank", "zrevrank", "zrevrange",
    "exists", "xrevrange", "get",
    "hkeys",
}  # fmt: skip


def _reading() -> list[tuple[str, str]]:
    states = [
        "queued", "started", "scheduled", "deferred", "finished", "failed", "canceled",
        "rate_limited", "ready_to_enqueue",
    ]  # fmt: skip
    paths = [
        "/status", "/load", "/events", "/events/ten", "/events/ten/runs",
        "/events/ten/statistics", "/events/ten/history", "/events/ten/upcoming", "/queues",
        "/workers", "/running", "/jobs/x", "/tasks", "/openapi.json",
    ]  # fmt: skip
    return [("GET", path) for path in paths + [f"/jobs?state={state}" for state in states]]


def test_the_worker_of_a_running_job_is_asked_to_stop_it(redis: Redis, web: Web) -> None:
    Queue(connection=redis).enqueue("tests.jobs.working.say", job_id="j")
    _problem(web.post(f"{API}/jobs/j/stop"), 409)
    _problem(web.post(f"{API}/jobs/unknown/stop"), 404)
    start(redis, "j", worker="w")
    connection: Any = redis
    with connection.pubsub() as pubsub:
        pubsub.subscribe("rq:pubsub:w")
        wait_for("it is subscribed", pubsub.get_message)
        assert web.post(f"{API}/jobs/j/stop").json() == {"stopped": True}
        message = wait_for("the command", pubsub.get_message)
    assert json.loads(message["data"])["job_id"] == "j"
    done, refused = read_audit(redis, "test", 2).entries
    assert (done.what, done.on, done.outcome) == ("stop", "j", Outcome.DONE)
    assert refused.outcome is Outcome.FAILED


def _writing() -> list[tuple[str, str]]:
    paths = ["/events/ten/run", "/events/ten/pause", "/events/ten/resume", "/jobs"]
    paths += ["/events/ten/backfill", "/queues/default/pause", "/queues/default/resume"]
    paths += ["/jobs/requeue", "/jobs/delete", "/jobs/x/requeue", "/jobs/x/stop"]
    return [*(("POST", path) for path in paths), ("DELETE", "/jobs/x")]


def _everything(redis: Redis) -> dict[Any, tuple[Any, bool]]:
    return {key: (redis.dump(key), redis.ttl(key) >= 0) for key in redis.keys("*")}


def _get(web: Web, path: str) -> Any:
    answer = web.get(API + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _problem(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = json.loads(answer.content)
    assert problem["status"] == status
    assert problem["title"]
    assert len(problem["detail"]) > 5


def _run(number: int) -> Run:
    return Run(
        event="ten",
        scheduled=int(START) + 10 * number,
        enqueued=START + 10 * number + 0.5,
        started=START + 10 * number + 1,
        ended=START + 10 * number + 1 + number,
        outcome=RunOutcome.FAILED if number == 2 else RunOutcome.SUCCEEDED,
        error="ValueError" if number == 2 else None,
        attempt=1,
        worker="w",
        job=f"j{number}",
    )
