"""Backfilling a span on the page: the preview, then the question, then the jobs."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest
from redis import Redis
from rq.job import Job
from rq.utils import as_text

from clock.ledger.audit import read_audit
from clock.ledger.job import job_id
from clock.recurrence.zone import zone
from clock.web.pages.local_time import read_local, write_local
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

BERLIN = zone("Europe/Berlin")


@pytest.fixture
def watched(redis: Redis, read: ReadSchedule) -> Watched:
    """A clock that was away for 20, 30 and 40 seconds past START."""
    schedule = read(
        "every('10 seconds', 'tests.jobs.working.say', name='ten', args=[7], catch_up='none', "
        "tz='Europe/Berlin')"
    )
    watched = Watched(redis, schedule)
    watched.turn([*range(11), *range(45, 61)])
    return watched


@pytest.fixture
def web(start_web: StartWeb, watched: Watched) -> Web:
    return start_web(now=lambda: watched.now)


def local(seconds: float) -> str:
    """An instant after START as the form has it."""
    return write_local(int(START + seconds), BERLIN)


def preview(web: Web, first: str, last: str) -> tuple[int, str, dict[str, str]]:
    """Its status, its text and the hidden fields of the question."""
    query = urlencode({"event": "ten", "from": first, "to": last})
    answer = web.get(f"/backfill?{query}")
    text = html.unescape(re.sub(r"<[^>]*>", " ", answer.text))
    question = answer.text.partition('method="post" action="/backfill"')[2]
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question)
    return (
        answer.status_code,
        " ".join(text.split()),
        {name: html.unescape(value) for name, value in fields},
    )


def test_a_preview_says_what_would_be_enqueued_and_the_answer_enqueues_it(
    redis: Redis, web: Web
) -> None:
    before = redis.llen("rq:queue:default")
    status, text, fields = preview(web, local(10), local(60))
    assert status == 200
    assert "3 of 6 occurrences would be enqueued , on the queue default" in text
    assert "First Fri 15 Jan 09:00:20 +01:00" in text
    assert "Last Fri 15 Jan 09:00:40 +01:00" in text
    assert "3 left out enqueued in their time" in text
    assert "Enqueue these 3 jobs now?" in text
    assert redis.llen("rq:queue:default") == before

    answer = web.post("/backfill", data=fields)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/event?name=ten&done=backfill&of=3+of+ten"
    assert "3 of ten were enqueued." in web.get(answer.headers["location"]).text
    ids = [as_text(item) for item in redis.lrange("rq:queue:default", before, -1)]
    assert ids == [job_id("test", "ten", int(START) + at) for at in (20, 30, 40)]
    assert Job.fetch(ids[0], connection=redis).args == (7,)
    entry = read_audit(redis, "test", 1).entries[0]
    assert (entry.what, entry.on) == ("backfill", "ten")
    assert entry.after == {
        "from": "2027-01-15T08:00:10Z",
        "until": "2027-01-15T08:01:00Z",
        "enqueued": 3,
    }


def test_a_preview_says_what_is_from_before_the_event_had_these_times(web: Web) -> None:
    _, text, _ = preview(web, local(-20), local(20))
    assert "4 of 5 occurrences would be enqueued" in text
    assert "3 of them are from before the event had these times" in text


def test_a_second_answer_enqueues_nothing_more(redis: Redis, web: Web) -> None:
    _, _, fields = preview(web, local(10), local(60))
    web.post("/backfill", data=fields)
    jobs = redis.llen("rq:queue:default")
    location = web.post("/backfill", data=fields).headers["location"]
    assert "0 of ten were enqueued." in web.get(location).text
    assert redis.llen("rq:queue:default") == jobs
    _, text, fields = preview(web, local(10), local(60))
    assert "None of the 6 occurrences can be enqueued" in text
    assert "3 backfilled before" in text
    assert fields == {}


def test_other_times_since_the_preview_are_shown_first(
    redis: Redis, web: Web, watched: Watched, read: ReadSchedule
) -> None:
    _, _, fields = preview(web, local(10), local(60))
    schedule = read("every('5 seconds', 'tests.jobs.working.say', name='ten')")
    Watched(redis, schedule, now=watched.now, token="h:2:y").turn([61])
    jobs = redis.llen("rq:queue:default")
    answer = web.post("/backfill", data=fields)
    assert answer.status_code == 400
    assert "The times of the event have changed since the preview." in answer.text
    assert redis.llen("rq:queue:default") == jobs


def test_the_form_proposes_what_was_missed_last(web: Web) -> None:
    text = web.get("/backfill?event=ten").text
    assert f'value="{local(20)}"' in text
    assert f'value="{local(40)}"' in text


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("", "x", "Enter a date and a time for both ends."),
        ("2027-01-15T09:00", "", "Enter a date and a time for both ends."),
        ("2027-13-15T09:00", "2027-01-15T09:00", "Enter a date and a time"),
        ("9" * 5000, "2027-01-15T09:00", "Enter a date and a time"),
        ("2027-01-15T09:00:20", "2027-01-15T09:00:10", "The span ends before it begins."),
        ("2027-01-15T09:00", "9999-12-31T23:59", "The span ends in the future;"),
        ("0001-01-01T00:00", "2027-01-15T09:00", "The span begins before 1970."),
        ("1970-01-02T00:00", "2027-01-15T09:00", "The span has more than 1000 occurrences"),
    ],
)
def test_a_span_that_cannot_be_is_asked_for_again(
    first: str, last: str, words: str, web: Web
) -> None:
    status, text, fields = preview(web, first, last)
    assert (status, fields) == (400, {})
    assert words in text


def test_a_span_in_which_nothing_was_due_has_no_question(web: Web) -> None:
    status, text, fields = preview(web, local(11), local(19))
    assert (status, fields) == (200, {})
    assert "Nothing was due in this span." in text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"event": "ten"}, 400),
        ({"event": "ten", "first": "x", "last": "1"}, 400),
        ({"event": "ten", "first": "-1", "last": "1"}, 400),
        ({"event": "ten", "first": "1", "last": "9" * 40}, 400),
        ({"event": "ten", "first": "1", "last": "9" * 11}, 400),
        ({"event": "ten", "first": "1799999990", "last": "1800000060"}, 400),
        ({"event": "none", "first": "1", "last": "2"}, 404),
    ],
)
def test_a_form_that_is_not_ours_enqueues_nothing(
    fields: dict[str, str], status: int, redis: Redis, web: Web
) -> None:
    jobs = redis.llen("rq:queue:default")
    assert web.post("/backfill", data=fields).status_code == status
    assert redis.llen("rq:queue:default") == jobs


def test_without_actions_there_is_no_preview(start_web: StartWeb, watched: Watched) -> None:
    web = start_web(actions=False, now=lambda: watched.now)
    _, text, fields = preview(web, local(10), local(60))
    assert fields == {}
    assert "You cannot backfill it: started without --allow-actions." in text
    assert "would be enqueued ," not in text


def test_an_event_that_is_not_there_is_not_found(web: Web) -> None:
    for path in ("/backfill", "/backfill?event=none"):
        assert web.get(path).status_code == 404


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-01-15T09:00", 1_800_000_000),
        ("2027-01-15T09:00:20", 1_800_000_020),
        ("2026-03-29T02:30", 1_774_746_000),  # skipped: the first instant after the gap
        ("2026-10-25T02:30", 1_792_888_200),  # comes twice: the first pass
    ],
)
def test_a_local_time_is_read_on_the_clock_of_the_event(text: str, instant: int) -> None:
    assert read_local(text, BERLIN) == instant
