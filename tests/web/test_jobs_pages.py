"""The pages of queues, jobs and one job."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock.jobs.requeue import MOST
from clock.ledger.audit import read_audit
from clock.ledger.queue_pauses import read_queue_pauses
from clock.web.pages.queues import LISTED
from tests.jobs.working import start, work_off
from tests.observe.rq.failing import NOW, fail
from tests.web.conftest import StartWeb
from tests.web.requests import Web

LONG = "ValueError: " + "<img src=x onerror=alert(1)>" * 4000


@pytest.fixture
def web(start_web: StartWeb) -> Web:
    """The pages at ``NOW``, with arguments shown."""
    return start_web(now=lambda: NOW, arguments=True)


def listed(web: Web, address: str) -> list[str]:
    """The jobs on a page, by the ids of their rows."""
    text = web.get(address).text
    return re.findall(r'<tr data-key="([^"]+)"><td class="pick">', text)


def test_a_long_error_makes_no_page_large(redis: Redis, web: Web) -> None:
    for number in range(30):
        fail(redis, f"job-{number}", ["high", "low"][number % 2], error=LONG, ago=number)
    for path in ("/queues", "/jobs?state=failed"):
        answer = web.get(path)
        assert len(answer.content) < 40_000, path
        assert "<img" not in answer.text
    assert len(web.get("/job?id=job-1").content) < 600_000


def test_the_errors_on_the_page_of_queues_stay_in_one_order(redis: Redis, web: Web) -> None:
    fail(redis, "a", error="ValueError: zz", ago=50)
    fail(redis, "b", error="KeyError: yy", ago=40)
    keys = r'<tr data-key="([0-9a-f]{12})">'
    before = re.findall(keys, web.get("/queues").text)
    assert len(before) == 2
    for number in range(3):
        fail(redis, f"c{number}", error="ValueError: zz", ago=number)
        assert re.findall(keys, web.get("/queues").text) == before


def test_jobs_of_all_queues_are_filtered_and_grouped(redis: Redis, web: Web) -> None:
    fail(redis, "a", "high", error="ValueError: order 1 not found", ago=30)
    fail(redis, "b", "low", error="ValueError: order 2 not found", ago=5000)
    fail(redis, "c", "low", error="KeyError: 'x'", task="work.y", ago=10)
    assert listed(web, "/jobs") == ["c", "a", "b"]
    assert listed(web, "/jobs?state=failed&error=ValueError&within=3600") == ["a"]
    assert listed(web, "/jobs?state=failed&text=ORDER&queue=low") == ["b"]
    text = web.get("/jobs?state=failed").text
    assert "3 failed in all" in text
    group = re.findall(r"group=([0-9a-f]{12})", text)[0]
    assert listed(web, f"/jobs?state=failed&group={group}") == ["a", "b"]
    assert listed(web, "/jobs?state=queued") == []


def test_it_is_said_how_many_jobs_were_searched(redis: Redis, web: Web) -> None:
    for number in range(3):
        fail(redis, f"job-{number}")
    text = web.get("/jobs?state=failed&task=nothing").text
    assert "No such jobs match the filter." in text
    assert "3 failed in all; 3 of them were searched." in text


def test_chosen_jobs_are_requeued(redis: Redis, web: Web) -> None:
    for name in ("a", "b", "c"):
        fail(redis, name)
    back = "/jobs?state=failed"
    answer = web.post("/requeue-chosen", data={"job.a": "1", "job.c": "1", "back": back})
    assert answer.headers["location"] == f"{back}&done=requeue-all&of=2"
    assert listed(web, "/jobs") == ["b"]
    assert read_audit(redis, "test", 1).entries[0].on == "a, c"


def test_nothing_is_deleted_or_stopped_before_a_question_is_answered(
    redis: Redis, web: Web
) -> None:
    for name in ("a", "b"):
        fail(redis, name)
    for path, fields, question in (
        ("/delete", {"job": "a"}, "Delete job a?"),
        ("/delete-chosen", {"job.a": "1", "job.b": "1"}, "Delete 2 jobs?"),
        ("/delete-all", {"queue": "high"}, "Delete all failed jobs of this filter (queue high)?"),
        ("/requeue-all", {"queue": ""}, "Requeue all failed jobs of this filter (all queues)?"),
        ("/stop", {"job": "a"}, "Stop job a?"),
    ):
        text = web.post(path, data=fields).text
        assert question in text, path
        for name, value in fields.items():
            assert f'name="{name}" value="{value}"' in text
        assert 'name="sure" value="1"' in text
    assert sorted(listed(web, "/jobs")) == ["a", "b"]
    assert read_audit(redis, "test", 9).entries == []
    answer = web.post("/delete-chosen", data={"job.a": "1", "job.b": "1", "sure": "1"})
    assert answer.status_code == 303
    assert listed(web, "/jobs") == []


def test_all_that_match_are_deleted_on_every_queue(redis: Redis, web: Web) -> None:
    fail(redis, "a", "high", error="KeyError: 1", ago=10)
    fail(redis, "b", "low", error="KeyError: 2", ago=20)
    fail(redis, "c", "low", error="ValueError: 2", ago=30)
    fields = {"queue": "", "error": "KeyError", "within": "3600", "sure": "1"}
    assert web.post("/delete-all", data=fields).headers["location"].endswith("of=2")
    assert listed(web, "/jobs") == ["c"]
    (entry,) = read_audit(redis, "test", 9).entries
    assert (entry.what, entry.on) == (
        "delete all",
        "error KeyError, since 2027-01-15T07:00:00Z",
    )
    assert MOST >= 10_000


def test_a_queue_is_paused_and_resumed_on_its_page(redis: Redis, web: Web) -> None:
    Queue("a<b>", connection=redis).enqueue("tests.jobs.working.say")
    assert "Pause the queue a&lt;b&gt;" in web.get("/pause-queue?queue=a%3Cb%3E").text
    fields = {"queue": "a<b>", "reason": "<b>why</b>", "back": "/queues"}
    answer = web.post("/pause-queue", data=fields)
    assert answer.headers["location"] == "/queues?done=pause&of=a%3Cb%3E"
    text = web.get("/queues").text
    assert "&lt;b&gt;why&lt;/b&gt;" in text
    assert read_queue_pauses(redis)["a<b>"].by == "api"
    web.post("/resume-queue", data={"queue": "a<b>"})
    assert read_queue_pauses(redis) == {}
    entries = read_audit(redis, "test", 9).entries
    assert [entry.what for entry in entries] == ["resume queue", "pause queue"]
    assert web.get("/pause-queue?queue=nobody").status_code == 404


def test_a_worker_that_ignores_a_pause_is_named(redis: Redis, web: Web) -> None:
    Queue("default", connection=redis).enqueue("tests.jobs.working.say")
    for name, supports in (("ours", "pauses"), ("rqs", None)):
        fields: dict[Any, Any] = {"queues": "default", "state": "idle"}
        if supports is not None:
            fields["clock_supports"] = supports
        redis.hset(f"rq:worker:{name}", mapping=fields)
        redis.sadd("rq:workers", f"rq:worker:{name}")
    assert "still takes its jobs" not in web.get("/queues").text
    web.post("/pause-queue", data={"queue": "default"})
    assert "rqs still takes its jobs" in web.get("/queues").text


def test_the_page_of_a_job_begins_with_its_error_and_links_to_its_relations(
    redis: Redis, web: Web
) -> None:
    queue = Queue(connection=redis)
    first = queue.enqueue("tests.jobs.working.say", job_id="first")
    queue.enqueue("tests.jobs.working.fail", job_id="second", depends_on=first)
    work_off(redis)
    text = web.get("/job?id=second").text
    assert text.index("ValueError: no such feed") < text.index("tests.jobs.working.fail")
    assert "in <span class=" in text
    assert 'href="/job?id=first"' in text
    result = web.get("/job?id=first").text
    assert '<pre id="result" tabindex="0">&#34;done&#34;</pre>' in result


def test_results_and_arguments_are_shown_only_where_that_is_enabled(
    redis: Redis, start_web: StartWeb
) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say", "s3cret")
    work_off(redis)
    path = f"/job?id={job.id}"
    assert "s3cret" not in start_web().get(path).text
    assert start_web(arguments=True).get(path).text.count("s3cret") == 2
    for options in ({"arguments": False}, {"arguments": True, "actions": False}):
        web = start_web(**options)
        assert "s3cret" not in web.get(f"/again?id={job.id}").text
        assert web.post("/again", data={"job": job.id, "args": "[]"}).status_code == 403


def test_a_job_is_run_again_with_other_arguments(redis: Redis, web: Web) -> None:
    queue = Queue("io", connection=redis)
    job = queue.enqueue("tests.jobs.working.say", "a", job_timeout=77)
    work_off(redis, "io")
    text = web.get(f"/again?id={job.id}").text
    assert "&#34;a&#34;" in text
    answer = web.post("/again", data={"job": job.id, "args": '["b"]', "kwargs": "{}"})
    (new,) = queue.job_ids
    assert answer.headers["location"] == f"/job?id={new}&done=run&of={new}"
    made = Job.fetch(new, connection=redis)
    assert (made.args, made.timeout) == (("b",), 77)
    (entry,) = read_audit(redis, "test", 9).entries
    assert (entry.what, entry.on) == ("run again", job.id)
    assert "b" not in json.dumps(dict(entry.after or {})).replace(new, "").replace("job", "")


@pytest.mark.parametrize("args", ["", "[", "{}", '{"a": 1}', "[NaN]", "[" * 500 + "]" * 500])
def test_arguments_that_are_no_list_are_sent_back_to_be_corrected(
    redis: Redis, web: Web, args: str
) -> None:
    queue = Queue(connection=redis)
    job = queue.enqueue("tests.jobs.working.say")
    answer = web.post("/again", data={"job": job.id, "args": args, "kwargs": "{}"})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert queue.job_ids == [job.id]


def test_a_task_that_may_not_be_enqueued_is_not_run_again(redis: Redis, web: Web) -> None:
    job = Queue(connection=redis).enqueue("os.system", "true")
    assert "takes no other arguments here" in web.get(f"/again?id={job.id}").text
    answer = web.post("/again", data={"job": job.id, "args": "[]", "kwargs": "{}"})
    assert answer.status_code == 403


def test_a_running_job_can_be_stopped_and_not_deleted(redis: Redis, web: Web) -> None:
    job = Queue(connection=redis).enqueue("tests.jobs.working.say")
    start(redis, job.id, worker="worker-1")
    text = web.get(f"/job?id={job.id}").text
    assert 'formaction="/stop"' in text
    assert 'formaction="/delete"' not in text
    connection: Any = redis
    with connection.pubsub() as subscribed:
        subscribed.subscribe("rq:pubsub:worker-1")
        subscribed.get_message(timeout=5)
        answer = web.post("/stop", data={"job": job.id, "sure": "1", "back": f"/job?id={job.id}"})
        message = subscribed.get_message(timeout=5)
    assert answer.headers["location"].startswith(f"/job?id={job.id}&done=stop")
    assert message is not None
    assert json.loads(message["data"])["job_id"] == job.id
    (entry,) = read_audit(redis, "test", 9).entries
    assert (entry.what, entry.on) == ("stop", job.id)


def test_twenty_thousand_failed_jobs_are_read_in_bounded_time(redis: Redis, web: Web) -> None:
    fail(redis, "one", error="ValueError: order 1 not found")
    connection: Any = redis
    hash_, (result,) = redis.hgetall("rq:job:one"), connection.xrange("rq:results:one")
    with connection.pipeline(transaction=False) as pipeline:
        for number in range(20_000):
            pipeline.hset(f"rq:job:job-{number}", mapping=hash_)
            pipeline.xadd(f"rq:results:job-{number}", result[1])
            pipeline.zadd("rq:failed:high", {f"job-{number}": NOW + 86_400 + number})
        pipeline.execute()
    for path in ("/queues", "/jobs", "/jobs?state=failed&text=nothing"):
        began = time.process_time()
        assert web.get(path).status_code == 200
        # A few tenths of a second on an idle machine; it would be twenty of what a page reads.
        assert time.process_time() - began < 3, path
    text = web.get("/jobs").text
    assert "Of the newest 1000 of 20001 failed jobs." in text
    assert 'data-live="page"' in text
    # It is read once, and not every four seconds.
    assert 'data-live=""' in web.get("/jobs?state=failed&text=nothing").text


def test_the_running_jobs_and_workers_on_the_page_of_queues_are_bounded(
    redis: Redis, web: Web
) -> None:
    connection: Any = redis
    with connection.pipeline(transaction=False) as pipeline:
        for number in range(LISTED + 7):
            pipeline.sadd("rq:queues", f"rq:queue:q{number % 9}")
            pipeline.hset(f"rq:job:job-{number}", mapping={"status": "started", "data": b""})
            pipeline.zadd(f"rq:wip:q{number % 9}", {f"job-{number}:e": NOW + 60})
            pipeline.sadd("rq:workers", f"rq:worker:w{number}")
            pipeline.hset(f"rq:worker:w{number}", mapping={"queues": "q1", "state": "busy"})
        pipeline.execute()
    text = web.get("/queues").text
    assert text.count('href="/job?id=job-') == LISTED
    assert "7 more run" in text
    assert "7 more are alive" in text
