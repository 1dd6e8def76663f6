"""Recorded requests get the responses of 0.1.0, see ``recording.py``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.routing import Mount

from clock.web.api import OPERATIONS
from clock.web.problems import PROBLEMS
from tests.web.recording import API, OFF, WHO, Scene, ask, prepare
from tests.web.requests import Web

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("requests_0_1_0.json").read_text("utf-8")
)
SCENES: list[Scene] = RECORDED["scenes"]

ADDED = {
    "/json/unreadable", "/json/attention", "/json/ahead", "/json/conflicts", "/json/sources",
    "/json/queues/rate_limited",
    "/json/queues/ready_to_enqueue", "/json/queues/paused", "/json/workers/supports_pauses",
    "/json/jobs/error_line", "/json/looked_at",
    *(f"/json/{field}" for field in ("attempts", "has_result", "result")),
    *(f"/json/{field}" for field in ("dependencies", "dependents")),
    *(f"/json/decisions/{field}" for field in ("reason", "job", "outcome", "error")),
    *(f"/json/workers/{field}" for field in ("processes", "memory", "cpu", "load")),
}  # fmt: skip
"""Fields that 0.1.0 did not have."""

SENTENCE = "/json/detail"
"""For a person to read; its words may change."""

TYPE = "/json/type"
"""Of an error. In 0.1.0 it said nothing, see ``clock.web.problems``."""

CALLER = ("ada", "api")
"""Who paused an event: what the caller said in 0.1.0, who signed in today."""

REUSED_KEY = {"task": "work.say", "args": [2]}
"""Sent with a key that came with another body before, which 0.1.0 did not notice."""


def differences(before: Any, now: Any, path: str = "") -> dict[str, Any]:
    """What of an answer of 0.1.0 is another today, and what is more, by its path in the JSON."""
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [
            (f"/{name}", before.get(name, "absent"), now.get(name, "absent"))
            for name in {**before, **now}
        ]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [("", *pair) for pair in zip(before, now, strict=True)]
    else:
        return {} if before == now else {path: (before, now)}
    return {
        at: both
        for name, old, new in pairs
        for at, both in differences(old, new, path + name).items()
    }


def test_every_request_of_0_1_0_is_answered_as_it_was(redis: Redis) -> None:
    web = prepare(redis)
    wrong: list[Any] = []
    for scene in SCENES:
        answer = ask(web, scene)
        if scene.get("body") == REUSED_KEY:
            assert (scene["answer"]["status"], answer["status"]) == (200, 422)
            continue
        different = differences(scene["answer"], answer)
        if SENTENCE in different:
            assert all(isinstance(sentence, str) for sentence in different[SENTENCE])
        if TYPE in different:
            before, now = different.pop(TYPE)
            name = now.removeprefix(f"{API}/docs#")
            assert (before, PROBLEMS[name].status) == ("about:blank", answer["status"])
        wrong += [
            (scene, at)
            for at, both in different.items()
            if at not in ADDED | {SENTENCE} and not (at.endswith("/by") and both == CALLER)
        ]
    assert wrong == []


def test_every_operation_of_0_1_0_was_asked_and_is_there_today() -> None:
    assert set(RECORDED["operations"]) <= {
        f"{operation.method} {operation.path}" for operation in OPERATIONS
    }
    for operation in RECORDED["operations"]:
        method, _, path = operation.partition(" ")
        rule = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        assert [
            scene
            for scene in SCENES
            if scene["method"] == method and re.fullmatch(rule, scene["path"].partition("?")[0])
        ], operation


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/schedules?state=paused", "/events"),
        ("/schedules/orders", "/events/orders"),
        (f"/schedules/{OFF}/coming?count=3", f"/events/{OFF}/upcoming"),
        ("/schedules/unknown/runs", "/events/unknown/runs"),
        ("/schedules/orders/runs?limit=0", "/events/orders/runs"),
    ],
)
def test_an_old_path_is_deprecated_and_names_its_successor(
    redis: Redis, old: str, new: str
) -> None:
    web = prepare(redis)
    headers = web.get(API + old).headers
    assert headers["deprecation"] == "@1795564800"
    assert headers["link"] == f'<{API}{new}>; rel="successor-version"'
    successor = web.get(API + new)
    assert successor.status_code == (404 if "unknown" in new else 200)
    assert not {"deprecation", "link"} & set(successor.headers)


def test_a_successor_is_below_the_prefix_that_the_application_is_mounted_at(redis: Redis) -> None:
    app = Starlette(routes=[Mount("/clock", prepare(redis).app)])
    answer = Web(app, WHO).get(f"/clock{API}/schedules/orders/coming")
    assert answer.headers["link"].startswith(f"</clock{API}/events/orders/upcoming>")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/events", {"events", "total", "next"}),
        ("/events/orders/upcoming", {"upcoming"}),
        ("/schedules", {"schedules"}),
        ("/schedules/orders/coming", {"occurrences"}),
    ],
)
def test_the_fields_of_a_response_have_the_names_of_its_path(
    redis: Redis, path: str, fields: set[str]
) -> None:
    assert prepare(redis).get(API + path).json().keys() == fields
