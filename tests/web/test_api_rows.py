"""Rows that people edit, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from clock import load
from clock.ledger.audit import read_audit
from clock.ledger.descriptions import describe
from clock.ledger.stored import StoredRows
from tests.sources.version import APP, HEAD, START, Version, fired
from tests.web.conftest import StartWeb
from tests.web.requests import Web

EVENTS = "/api/v1/events"
DAILY = {"every": "day", "at": "02:30", "tz": "Europe/Berlin", "task": "tasks.x", "args": [1]}


@pytest.fixture
def version(redis: Redis, tmp_path: Path) -> Version:
    """A clock with rows that people edit, and an event of its file."""
    file = tmp_path / "schedule.py"
    file.write_text(
        f"{HEAD}from clock import stored\n"
        "every('day', 'tasks.y', name='of file')\n"
        "source('console', stored(), tasks=['tasks.*'], queues=['default'])\n"
    )
    schedule = load(file)
    list(describe(redis, APP, "schedule.py", list(schedule.events.values()), START))
    version = Version(redis, schedule)
    version.run(0, 2)
    return version


@pytest.fixture
def web(version: Version, start_web: StartWeb) -> Web:
    """The application of that clock."""
    return start_web(now=lambda: START + 2, arguments=True)


def ask(web: Web, method: str, name: str, body: Any = None, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.request(method, f"{EVENTS}/{name}", json=body, headers=given)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].partition("#")[2]


def test_a_row_is_put_changed_and_removed(web: Web, redis: Redis, version: Version) -> None:
    made = ask(web, "PUT", "a", {"every": "10 seconds", "task": "tasks.x"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.json()["preview"]["words"] == "every 10 seconds of real time"
    version.run(3, 20)
    assert fired(redis) == ["a+10", "a+20"]
    changed = ask(web, "PATCH", "a", {"args": [7], "every": "30 seconds"})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    read = ask(web, "GET", "a/row")
    assert read.headers["etag"] == '"2"'
    assert read.json()["row"] == {
        "name": "a", "every": "30 seconds", "task": "tasks.x", "args": [7],
    }  # fmt: skip
    assert ask(web, "PATCH", "a", {"args": None}).status_code == 200
    assert "args" not in ask(web, "GET", "a/row").json()["row"]
    assert ask(web, "DELETE", "a").json() == {"removed": True}
    version.run(21, 60)
    assert fired(redis) == ["a+10", "a+20"]
    removed, *_, put = read_audit(redis, APP, 10).entries
    assert (removed.what, removed.after, put.what, put.before) == ("remove", None, "put", None)
    assert removed.before is not None
    assert put.after is not None
    assert (removed.before["every"], put.after["every"]) == ("30 seconds", "10 seconds")


def test_a_change_may_demand_the_version_that_it_has_seen(web: Web, redis: Redis) -> None:
    assert problem(ask(web, "PUT", "a", DAILY, if_match='"1"')) == (412, "row-changed")
    assert StoredRows(redis, APP).read() == {}
    ask(web, "PUT", "a", DAILY)
    assert ask(web, "PUT", "a", DAILY, if_match='"1"').status_code == 200
    for method, body in (("PUT", DAILY), ("PATCH", {"at": "03:00"}), ("DELETE", None)):
        assert problem(ask(web, method, "a", body, if_match='"1"')) == (412, "row-changed")
        assert problem(ask(web, method, "a", body, if_match="x")) == (400, "invalid-request")
    assert StoredRows(redis, APP).read()["a"].row == {"name": "a", **DAILY}
    assert ask(web, "DELETE", "a", if_match='"2"').status_code == 200


def test_an_event_that_is_no_stored_row_is_not_edited(web: Web) -> None:
    for method, body in (("PUT", DAILY), ("PATCH", {"at": "03:00"}), ("DELETE", None)):
        answer = ask(web, method, "of%20file", body)
        assert problem(answer) == (409, "not-editable")
        assert "schedule.py:" in answer.json()["detail"]
    for method, body in (("PATCH", {"at": "03:00"}), ("DELETE", None)):
        assert problem(ask(web, method, "nobody", body)) == (404, "unknown-event")
    answer = web.request("PUT", f"{EVENTS}/a", params={"source": "nothing"}, json=DAILY)
    assert problem(answer) == (409, "unknown-source")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"every": "10 minuets"}, "every"),
        ({"at": "25:00"}, "at"),
        ({"task": "os.system"}, "task"),
        ({"queue": "secret"}, "queue"),
        ({"tz": "Mars"}, "tz"),
    ],
)
def test_a_mistake_is_named_with_its_field_and_nothing_is_stored(
    web: Web, redis: Redis, words: dict[str, Any], field: str
) -> None:
    refused = ask(web, "PUT", "a", DAILY | words)
    assert problem(refused) == (422, "invalid-row")
    tried = web.post(f"{EVENTS}/preview", json={"name": "a", **DAILY, **words}).json()
    assert tried["preview"] is None
    assert tried["mistake"] == {"field": field, "message": refused.json()["detail"]}
    assert refused.json()["field"] == field
    assert StoredRows(redis, APP).read() == {}


def test_a_preview_has_words_times_and_marks(version: Version, start_web: StartWeb) -> None:
    # Three days before the clocks go forward in Berlin, on 2027-03-28.
    web = start_web(now=lambda: 1_806_000_000)
    shown = web.post(f"{EVENTS}/preview", json={"name": "a", **DAILY}).json()
    assert shown["mistake"] is None
    assert shown["preview"]["words"] == "every day at 02:30"
    assert shown["preview"]["zone"] == "Europe/Berlin"
    upcoming = shown["preview"]["upcoming"]
    assert len(upcoming) == 5
    (marked,) = [one for one in upcoming if one["mark"] == "gap"]
    assert marked["scheduled_at"].startswith("2027-03-28T01:")


def test_rows_are_edited_only_where_actions_are_enabled(
    version: Version, start_web: StartWeb
) -> None:
    web = start_web(actions=False)
    for method, name in (("PUT", "a"), ("PATCH", "a"), ("DELETE", "a"), ("POST", "preview")):
        assert problem(ask(web, method, name, {})) == (403, "actions-disabled")


def test_arguments_are_shown_only_where_that_is_enabled(web: Web, start_web: StartWeb) -> None:
    ask(web, "PUT", "a", DAILY)
    hidden = start_web(now=lambda: START + 2)
    assert "args" not in ask(hidden, "GET", "a/row").json()["row"]
    ask(hidden, "PATCH", "a", {"at": "03:00"})
    assert ask(web, "GET", "a/row").json()["row"] == {"name": "a", **DAILY, "at": "03:00"}


def test_the_audit_log_has_the_arguments_of_rows_only_where_these_are_shown(
    web: Web, start_web: StartWeb
) -> None:
    ask(web, "PUT", "a", {**DAILY, "args": ["a secret"]})
    hidden = start_web(now=lambda: START + 2)
    (entry,) = hidden.get("/api/v1/audit").json()["entries"]
    assert (entry["what"], entry["after"]["at"], "args" in entry["after"]) == (
        *("put", "02:30"),
        False,
    )
    for address in ("/api/v1/audit", "/audit", "/event?name=a"):
        assert "a secret" not in hidden.get(address).text
    assert "a secret" in web.get("/api/v1/audit").json()["entries"][0]["after"]["args"]
