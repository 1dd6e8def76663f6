"""Running an event by hand with other arguments, on the page and over the API."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import resolve_serializer
from rq.utils import as_text

from clock.ledger.audit import read_audit
from clock.ledger.ledger import Ledger
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

SAY = "tests.jobs.working.say"


def watch(redis: Redis, read: ReadSchedule, options: str, serializer: str = "pickle") -> Watched:
    """A clock with the event ``one``, whose task may be given arguments, and ``two``."""
    schedule = read(
        f"every('day', '{SAY}', name='one', queue='io', {options})",
        "every('day', 'tests.jobs.working.count', name='two', kwargs={'items': [1]})",
        serializer=serializer,
    )
    watched = Watched(redis, schedule, serializer=serializer)
    watched.turn([0])
    return watched


def offered(web: Web, event: str = "one") -> tuple[list[str], str]:
    """The contents of the fields of the form, and its text."""
    answer = web.get(f"/run?event={event}")
    assert answer.status_code == 200
    fields = re.findall(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    return [html.unescape(field) for field in fields], html.unescape(answer.text)


def last_job(redis: Redis, queue: str = "io", serializer: str = "pickle") -> Job:
    identifier = as_text(redis.lindex(f"rq:queue:{queue}", -1) or "")
    return Job.fetch(identifier, connection=redis, serializer=resolve_serializer(serializer))


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_the_form_has_the_events_own_arguments_and_runs_it_with_changed_ones(
    serializer: str, redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    options = "args=['<ü>'], kwargs={'n': {'a': [1.5, None, True]}}, meta={'team': 'io'}"
    watch(redis, read, options, serializer)
    web = start_web(arguments=True, serializer=serializer)
    (args, kwargs), text = offered(web)
    assert (json.loads(args), json.loads(kwargs)) == (["<ü>"], {"n": {"a": [1.5, None, True]}})
    assert "cannot be written" not in text

    form = {
        "event": "one",
        "back": "/event?name=one",
        "args": args.replace("ü", "ä"),
        "kwargs": "{}",
    }
    answer = web.post("/run", data=form | {"kwargs": "{}"})

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/event?name=one&done=run&of=one",
    )
    job = last_job(redis, serializer=serializer)
    assert (list(job.args), job.kwargs, job.meta["team"]) == (["<ä>"], {}, "io")
    assert job.meta["clock"]["manual"] is True
    entry = read_audit(redis, "test", 1).entries[0]
    assert (entry.what, entry.on) == ("run", "one")
    assert entry.after == {"job": job.id, "other_arguments": True}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("args=[(1, 2)]", "args[0] is a tuple"),
        ("kwargs={'a': [{1: 2}]}", "a key of kwargs['a'][0] is not a string"),
        ("args=[b'x']", "args[0] is a bytes"),
        ("kwargs={'a': {'b': float('inf')}}", "kwargs['a']['b'] is a float"),
        ("args=[__import__('datetime').date(2026, 1, 1)]", "they are not plain values"),
        (
            "args=[__import__('functools').reduce(lambda inner, _: [inner], range(150), 1)]",
            "they are not plain values",
        ),
        ("args=['x' * 30_000]", "they are too long to be edited here"),
    ],
)
def test_arguments_that_json_cannot_express_are_said_and_not_offered(
    options: str, reason: str, redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, options)
    fields, text = offered(start_web(arguments=True))
    assert fields == ["[]", "{}"]
    assert f"Its own arguments cannot be written as JSON: {reason}" in text


def test_arguments_are_not_shown_unless_that_is_enabled(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "args=['secret']")
    fields, text = offered(start_web())
    assert fields == ["[]", "{}"]
    assert "secret" not in text
    assert "--show-arguments" in text


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ("", "{}", "The positional arguments are not JSON"),
        ("[1,", "{}", "The positional arguments are not JSON"),
        ("{}", "{}", "The positional arguments must be a list"),
        ("[]", "[]", "The keyword arguments must be an object"),
        ("[]", '{"a": NaN}', "The keyword arguments are not JSON"),
        ("[]", '{"a": "\\ud800"}', "The keyword arguments are not JSON"),
        ("[" * 200 + "]" * 200, "{}", "The positional arguments are nested more than 100 levels"),
        ("[" * 20_000, "{}", "The positional arguments are"),
        (f"[{'9' * 5000}]", "{}", "The positional arguments are not JSON"),
    ],
)
def test_what_is_no_call_is_asked_for_again_and_not_run(
    args: str, kwargs: str, words: str, redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "")
    answer = start_web().post("/run", data={"event": "one", "args": args, "kwargs": kwargs})
    assert answer.status_code == 400
    assert words in html.unescape(answer.text)
    assert html.escape(args, quote=False)[:100] in answer.text.replace("&#34;", '"')
    assert redis.llen("rq:queue:io") == 0


def test_a_task_that_is_not_on_the_allow_list_takes_its_own_arguments_only(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "")
    web = start_web(arguments=True)
    fields, text = offered(web, "two")
    assert fields == []
    assert "ALLOWED" in text
    form = {"event": "two", "args": "[[9]]", "kwargs": "{}"}
    assert web.post("/run", data=form).status_code == 403
    answer = web.post("/api/v1/events/two/run", json={"args": [[9]]})
    assert (answer.status_code, "ALLOWED" in answer.json()["detail"]) == (403, True)
    assert redis.llen("rq:queue:default") == 0
    assert web.post("/run", data={"event": "two"}).status_code == 303
    assert last_job(redis, "default").kwargs == {"items": [1]}


def test_without_actions_the_form_runs_nothing(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "args=['shown only to be changed']")
    web = start_web(actions=False, arguments=True)
    fields, text = offered(web)
    assert fields == []
    assert "started without --allow-actions" in text
    form = {"event": "one", "args": "[]", "kwargs": "{}"}
    assert web.post("/run", data=form).status_code == 403


def test_the_form_of_an_event_that_is_not_there_says_so(web: Web, clock: Watched) -> None:
    assert web.get("/run?event=none").status_code == 404
    assert web.get("/run").status_code == 404
    assert web.post("/run", data={"event": "none", "args": "[]"}).status_code == 404


def test_a_job_that_is_damaged_in_the_ledger_is_a_conflict(
    redis: Redis, web: Web, start_web: StartWeb, clock: Watched
) -> None:
    redis.hset("clock:test:templates", "ten", b"\xc1")
    for answer in (
        start_web(arguments=True).get("/run?event=ten"),
        web.post("/run", data={"event": "ten"}),
        web.post("/api/v1/events/ten/run"),
    ):
        assert answer.status_code == 409
        assert "start its clock once" in answer.text


@pytest.mark.parametrize(
    ("body", "call"),
    [
        (None, ([1], {"a": 2})),
        ({}, ([1], {"a": 2})),
        ({"args": [3]}, ([3], {})),
        ({"kwargs": {"b": None}}, ([], {"b": None})),
        ({"args": ["x"], "kwargs": {"b": [1.5]}}, (["x"], {"b": [1.5]})),
    ],
)
def test_the_api_runs_with_the_arguments_of_the_body(
    body: Any, call: Any, redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "args=[1], kwargs={'a': 2}")
    answer = start_web().post("/api/v1/events/one/run", **({} if body is None else {"json": body}))
    assert answer.status_code == 201
    job = last_job(redis)
    assert (job.id, list(job.args), job.kwargs) == (answer.json()["job"], *call)


@pytest.mark.parametrize(
    "body", [{"args": {}}, {"kwargs": []}, {"arguments": []}, [], {"args": None}]
)
def test_the_api_refuses_what_is_no_call(
    body: Any, redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "")
    assert start_web().post("/api/v1/events/one/run", json=body).status_code == 422
    assert redis.llen("rq:queue:io") == 0


def test_a_key_with_other_arguments_is_rejected(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    watch(redis, read, "")
    web, headers = start_web(), {"idempotency-key": "k1"}
    answers = [
        web.post("/api/v1/events/one/run", json={"args": [number]}, headers=headers)
        for number in (1, 1, 2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert answers[0].json() == answers[1].json()
    assert redis.llen("rq:queue:io") == 1


def test_an_event_of_the_first_release_is_run_with_other_arguments(
    redis: Redis, read: ReadSchedule, start_web: StartWeb
) -> None:
    """Its template is all that is needed: no clock of this release has run."""
    event = read(f"every('day', '{SAY}', name='one', args=[1])").events["one"]
    Ledger(redis, app="test", token="t").enrol([event], START)
    answer = start_web().post("/api/v1/events/one/run", json={"args": [2]})
    assert answer.status_code == 404  # its task is not described, so nothing allows it
