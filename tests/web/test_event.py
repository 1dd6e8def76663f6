"""The page of one event, without a browser."""

from __future__ import annotations

import html
import re
import zlib
from base64 import b64encode

import pytest
from redis import Redis

from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry
from clock.ledger.job import job_id
from clock.ledger.manual import run_now
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

TRACEBACK = """Traceback (most recent call last):
  File "/x/site-packages/rq/job.py", line 9, in perform
    self.run()
  File "/app/shop/<feeds>.py", line 27, in fetch
    raise ValueError("no\\nprice")
ValueError: no
price
"""


def write(redis: Redis, outcome: RunOutcome, second: int, job: str | None = None) -> str:
    """A run of the occurrence ``second`` seconds past START; returns its job."""
    scheduled = int(START) + second
    job = job or job_id("test", "ten", scheduled)
    run = Run(
        event="ten",
        scheduled=scheduled,
        enqueued=scheduled,
        started=scheduled + 0.5,
        ended=scheduled + 2,
        outcome=outcome,
        error="ValueError" if outcome is RunOutcome.FAILED else None,
        attempt=1,
        worker="w1",
        job=job,
    )
    write_run(redis, "test", run)
    return job


def read(web: Web, query: str = "") -> str:
    """The text of the page, each part on a line of its own."""
    answer = web.get(f"/event?name=ten{query}")
    assert answer.status_code == 200
    text = html.unescape(re.sub(r"<[^>]*>", "\n", answer.text.partition("<main")[2]))
    return re.sub(r"\s*\n\s*", "\n", text)


def test_a_failing_event_begins_with_its_error_since_when_and_its_last_success(
    redis: Redis, web: Web, clock: Watched
) -> None:
    write(redis, RunOutcome.SUCCEEDED, 0)
    write(redis, RunOutcome.FAILED, 10)
    job = write(redis, RunOutcome.FAILED, 20)
    packed = b64encode(zlib.compress(TRACEBACK.encode()))
    redis.xadd(f"rq:results:{job}", {"exc_string": packed})

    text = read(web)

    since = text.index("Failing\nsince\n20 s ago")
    assert "2 jobs one after another.\nLast success\n28 s ago" in text
    line, own = text.index("ValueError: no\n"), text.index("/app/shop/<feeds>.py:27")
    assert since < line < own < text.index("1 call in libraries, RQ and the clock")
    assert own < text.index("The whole traceback") < text.index("Next\n") < text.index("History\n")


def test_an_error_that_rq_does_not_keep_is_named_by_its_class(
    redis: Redis, web: Web, clock: Watched
) -> None:
    write(redis, RunOutcome.FAILED, 20)
    text = read(web)
    assert "\nValueError\nRQ does not have the traceback of this job, or no longer." in text
    assert "No success is among the kept runs." in text


def test_an_event_that_is_well_has_no_problem(redis: Redis, web: Web, clock: Watched) -> None:
    write(redis, RunOutcome.FAILED, 10)
    write(redis, RunOutcome.SUCCEEDED, 20)
    text = read(web)
    assert "Failing" not in text
    assert "Last success\n8 s ago" in text


def test_what_else_is_wrong_is_said_first(start_web: StartWeb, clock: Watched) -> None:
    text = read(start_web(now=lambda: START + 900))
    overdue = text.index("overdue\nsince\n14 min 30 s ago")
    assert "no worker listens on its queue, default" in text
    assert overdue < text.index("Next\n")


def test_the_history_has_the_job_of_a_run_by_hand_and_its_run(
    redis: Redis, web: Web, clock: Watched
) -> None:
    job = run_now(redis, "test", "ten", START + 22)
    write(redis, RunOutcome.SUCCEEDED, 22, job)
    answer = web.get("/event?name=ten").text
    history = answer.partition('data-part="history"')[2].partition("<tbody>")[2]
    row = history.partition("</tr>")[0]
    assert "08:00:22 UTC" in row
    assert f"/job?id={job}" in row
    assert "succeeded" in row


def test_the_actions_on_the_event_are_on_its_page_and_those_on_others_are_not(
    redis: Redis, web: Web, clock: Watched
) -> None:
    ann = Actor(name="ann", how="page", source="10.1.2.3")
    for on, reason in (("ten", "hers"), ("other", "not hers")):
        entry = Entry(at=START, actor=ann, what="pause", on=on, after={"reason": reason})
        write_entry(redis, "test", entry)
    text = read(web).partition("Audit\n")[2]
    assert "ann\npage, 10.1.2.3\npause\ndone\nreason hers" in text
    assert "not hers" not in text


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "٣", "2"])
def test_a_page_that_is_not_there_is_the_nearest(
    page: str, redis: Redis, web: Web, clock: Watched
) -> None:
    for second in range(60):
        write(redis, RunOutcome.SUCCEEDED, second)
    text = read(web, f"&runs={page}&history={page}&window={page}")
    assert ("51 to 60 of 60 runs" if page in {"2"} else "1 to 50 of 60 runs") in text


def test_a_long_run_of_failures_is_said_as_far_as_it_is_known(
    redis: Redis, web: Web, clock: Watched
) -> None:
    for second in range(40):
        write(redis, RunOutcome.FAILED, second - 40)
    assert "40 jobs one after another" in read(web)


def test_links_keep_what_else_the_reader_chose(redis: Redis, web: Web, clock: Watched) -> None:
    for second in range(60):
        write(redis, RunOutcome.SUCCEEDED, second)
    answer = html.unescape(web.get("/event?name=ten&window=week&runs=2").text)
    assert "/event?name=ten&window=day&runs=2" in answer
    assert "/event?name=ten&window=week&runs=1" in answer
