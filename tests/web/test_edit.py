"""Creating, changing and removing rows in the web UI, without a browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import httpx
import pytest
from redis import Redis

import clock
from clock import load
from clock.ledger.audit import read_audit
from clock.ledger.descriptions import describe
from tests.sources.version import APP, HEAD, START, Version, row
from tests.web.conftest import StartWeb
from tests.web.requests import Web

NEW = {"version": "0", "name": "a", "task": "tasks.x", "how": "hand", "count": "2", "unit": "hour"}


@pytest.fixture
def version(redis: Redis, tmp_path: Path) -> Version:
    """A clock with an event of its file, rows that people edit, and those of a function."""
    file = tmp_path / "schedule.py"
    file.write_text(
        f"{HEAD}from clock import stored\n"
        "every('day', 'tasks.y', name='of file')\n"
        "source('console', stored(), tasks=['tasks.*'], queues=['default', 'low'])\n"
        "rows = [{'name': 'of function', 'every': 'day', 'task': 'tasks.y'}]\n"
        "source('function', lambda: rows, tasks=['tasks.y'])\n"
    )
    version = Version(redis, load(file))
    version.run(0, 2)
    list(describe(redis, APP, "schedule.py", [*version.schedule.events.values()], START))
    return version


@pytest.fixture
def web(version: Version, start_web: StartWeb) -> Web:
    """The web UI three seconds after the start of that clock."""
    return start_web(now=lambda: START + 3, arguments=True)


def mistakes(answer: httpx.Response) -> dict[str, str]:
    """The mistakes by field; each belongs to a field that is described by it."""
    found = dict(
        re.findall(r'<span class="problem note" id="(\w+)-mistake">(.+?)</span>', answer.text)
    )
    for word in found:
        assert re.search(rf'aria-describedby="[^"]*\b{word}-mistake"', answer.text), word
    return {word: html.unescape(text) for word, text in found.items()}


def value_of(answer: httpx.Response, field: str) -> str:
    found = re.search(rf'<input[^>]* name="{field}"[^>]* value="([^"]*)"', answer.text)
    assert found is not None, field
    return html.unescape(found[1])


def test_a_row_is_created_changed_and_removed(redis: Redis, web: Web, version: Version) -> None:
    answer = web.post("/edit", data=NEW | {"args": '["<ü>", 1]', "back": "/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=put&of=a")
    stored = clock.events(redis, app=APP)["a"]
    expected = row("a", "2 hours", args=["<ü>", 1])
    assert (stored.row, stored.version, stored.source) == (expected, 1, "console")
    version.run(3, 5)
    page = web.get("/event?name=a").text
    assert "version 1, last changed by" in page

    form = web.get("/edit?event=a")
    assert (value_of(form, "version"), value_of(form, "count")) == ("1", "2")
    changed = NEW | {"version": "1", "how": "text", "every": "day", "at": "09:30, 18:00"}
    answer = web.post("/edit", data=changed | {"back": "/event?name=a"})
    assert answer.headers["location"] == "/event?name=a&done=put&of=a"
    assert clock.events(redis, app=APP)["a"].row == row("a", "day", at=["09:30", "18:00"])

    question = web.post("/remove", data={"event": "a", "version": "2", "back": "/"})
    assert "Remove a?" in question.text
    assert clock.events(redis, app=APP).keys() == {"a"}
    answer = web.post("/remove", data={"event": "a", "version": "2", "sure": "1"})
    assert answer.status_code == 303
    assert clock.events(redis, app=APP) == {}

    entries = read_audit(redis, APP, 10).entries
    assert [(entry.what, entry.on, entry.actor.how) for entry in entries] == [
        (what, "a", "page") for what in ("remove", "put", "put")
    ]
    assert (entries[1].before, entries[1].after) == (entries[2].after, entries[0].before)


def test_the_form_gives_back_every_word_of_a_row(redis: Redis, web: Web) -> None:
    rows = [
        row("a", "day", at=["09:30", "18:00"], tz="Asia/Tokyo", days="mon-fri", retry=3),
        row("b", "month", on=[1, "last friday"], args=[{"x": [1.5, None]}], kwargs={"y": "ü"}),
        row("c", "10 minutes", timeout="5m", meta={"t": 1}, enabled=False, description="17"),
        row("d", "monday", retry={"max": 2, "interval": [1, 2]}),
        row("e", "*/15 9-18 * * mon-fri", overlap="skip", catch_up=2, spread=60),
        {"name": "f", "task": "tasks.x", "once": "2027-02-04T09:00"},
    ]
    for each in rows:
        clock.put(redis, each, app=APP)
        form = web.get(f"/edit?event={each['name']}").text
        fields = {
            found[0]: html.unescape(found[1])
            for pattern in (
                r'<input[^>]* name="(\w+)"(?! type="radio")[^>]* value="([^"]*)"',
                r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)<',
                r'<select[^>]* name="(\w+)"(?:(?!</select>).)*<option selected>(\w+)',
                r'name="(how)" value="(\w+)" checked',
            )
            for found in re.findall(pattern, form)
        }
        answer = web.post("/edit", data=fields)
        assert answer.status_code == 303, mistakes(answer)
        stored = clock.events(redis, app=APP)[str(each["name"])]
        assert (stored.row, stored.version) == (each, 2)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"name": ""}, {"name": "a row needs 'name'"}),
        ({"name": "of file"}, {"name": "is taken by"}),
        ({"name": "of function"}, {"name": "the source 'function'"}),
        ({"task": "os.system"}, {"task": "'os.system' is not allowed"}),
        ({"task": "clock.put"}, {"task": "not allowed"}),
        ({"how": "text", "every": "10 minuets"}, {"every": "did you mean 'minutes'"}),
        ({"how": "text", "every": ""}, {"every": "a row needs"}),
        ({"how": "once", "once": "2020-01-01T00:00"}, {"once": "is past"}),
        ({"queue": "io"}, {"queue": "'io' is not allowed"}),
        ({"tz": "Mars/Olympus"}, {"tz": "Mars/Olympus"}),
        ({"args": "[1,"}, {"args": "this is not JSON"}),
        ({"args": "{}", "kwargs": "[]"}, dict.fromkeys(["args", "kwargs"], "must be")),
        ({"args": "[NaN]"}, {"args": "this is not JSON"}),
        (
            {"name": "", "task": "os.system", "queue": "io", "tz": "Mars", "timeout": "soon"},
            dict.fromkeys(["name", "task", "queue", "tz", "timeout"], ""),
        ),
    ],
)
def test_each_mistake_is_said_at_its_field_and_nothing_is_stored(
    typed: dict[str, str], wrong: dict[str, str], redis: Redis, web: Web
) -> None:
    answer = web.post("/edit", data=NEW | typed)
    assert answer.status_code == 400
    found = mistakes(answer)
    assert found.keys() == wrong.keys()
    for word, part in wrong.items():
        assert part in found[word]
    assert clock.events(redis, app=APP) == {}


def test_a_preview_shows_words_times_and_clock_changes_and_stores_nothing(
    redis: Redis, web: Web
) -> None:
    typed = {"how": "text", "every": "sunday", "at": "02:30", "tz": "Europe/Berlin"}
    form = NEW | typed | {"start": "2027-03-21", "preview": "1"}
    answer = web.post("/edit", data=form)
    assert answer.status_code == 200
    assert "<b>on Sunday at 02:30, from 2027-03-20 23:00:00Z</b>" in answer.text
    assert len(re.findall(r"<li><time", answer.text)) == 5
    assert "its local time is skipped" in answer.text
    assert clock.events(redis, app=APP) == {}
    assert read_audit(redis, APP, 10).entries == []


def test_while_one_types_what_is_still_empty_is_no_mistake(web: Web) -> None:
    form = NEW | {"name": "", "task": "", "queue": "io", "preview": "live"}
    answer = web.post("/edit", data=form)
    assert mistakes(answer).keys() == {"queue"}
    assert "every 2 hours" in answer.text
    assert web.post("/edit", data={"how": "text", "preview": "live"}).status_code == 200


def test_a_change_of_somebody_else_is_shown_and_what_was_typed_stays(
    redis: Redis, web: Web
) -> None:
    clock.put(redis, row("a", args=["theirs"]), app=APP, by="ann")
    clock.put(redis, row("a", args=["newer"]), app=APP, by="bob")
    typed = NEW | {"version": "1", "args": '["mine"]'}
    answer = web.post("/edit", data=typed)
    text = html.unescape(answer.text)
    assert answer.status_code == 409
    assert "bob changed it" in text
    assert '"newer"' in text
    assert '"mine"' in text
    assert clock.events(redis, app=APP)["a"].row["args"] == ["newer"]
    assert value_of(answer, "version") == "2"
    assert web.post("/edit", data=typed | {"version": "2"}).status_code == 303
    assert clock.events(redis, app=APP)["a"].row["args"] == ["mine"]

    clock.remove(redis, "a", app=APP)
    answer = web.post("/edit", data=typed | {"version": "3"})
    assert (answer.status_code, value_of(answer, "version")) == (409, "0")
    assert "Somebody removed it" in answer.text


def test_a_new_row_replaces_none_of_the_same_name(redis: Redis, web: Web) -> None:
    clock.put(redis, row("a", args=["theirs"]), app=APP)
    answer = web.post("/edit", data=NEW)
    assert (answer.status_code, "already" in mistakes(answer)["name"]) == (409, True)
    assert clock.events(redis, app=APP)["a"].version == 1


def test_who_removes_a_row_that_was_changed_is_asked_again(redis: Redis, web: Web) -> None:
    clock.put(redis, row("a"), app=APP, by="ann")
    clock.put(redis, row("a", "day"), app=APP, by="bob")
    answer = web.post("/remove", data={"event": "a", "version": "1", "sure": "1"})
    text = html.unescape(answer.text)
    assert "bob changed it meanwhile. It is now: name a, every day" in text
    assert value_of(answer, "version") == "2"
    assert clock.events(redis, app=APP).keys() == {"a"}


def test_what_is_no_stored_row_says_where_it_is_written(web: Web, version: Version) -> None:
    text = web.get("/edit?event=of file").text
    assert re.search(r"is written in <span class=\"mono\">\S*schedule\.py:4<", text)
    assert "a row of the source function" in web.get("/edit?event=of function").text
    for name in ("of file", "of function"):
        assert "Remove…" not in web.get(f"/event?name={name}").text
        assert web.post("/remove", data={"event": name, "sure": "1"}).status_code == 404
        answer = web.post("/edit", data=NEW | {"name": name, "version": "3"})
        assert "is taken by" in answer.text
    assert web.get("/edit?event=nothing").status_code == 404


def test_arguments_that_are_not_shown_stay(redis: Redis, start_web: StartWeb, web: Web) -> None:
    clock.put(redis, row("a", args=["secret"], kwargs={"k": 1}), app=APP)
    quiet = start_web(now=lambda: START + 3)
    answer = quiet.get("/edit?event=a")
    assert "secret" not in answer.text
    assert quiet.post("/edit", data=NEW | {"version": "1", "kwargs": "{}"}).status_code == 303
    assert clock.events(redis, app=APP)["a"].row == row("a", "2 hours", args=["secret"], kwargs={})


def test_only_who_may_act_edits(redis: Redis, start_web: StartWeb, web: Web) -> None:
    clock.put(redis, row("a", args=["shown only to be changed"]), app=APP)
    reader = start_web(now=lambda: START + 3, actions=False, arguments=True)
    for path in ("/edit", "/edit?event=a"):
        answer = reader.get(path)
        assert "You cannot edit events" in answer.text
        assert "shown only" not in answer.text
    assert reader.post("/edit", data=NEW).status_code == 403
    assert reader.post("/remove", data={"event": "a", "sure": "1"}).status_code == 403


def test_without_a_source_of_stored_rows_the_form_says_how_to_have_one(
    start_web: StartWeb,
) -> None:
    web = start_web()
    assert "stored()" in web.get("/edit").text
    answer = web.post("/edit", data=NEW)
    assert answer.status_code == 400
