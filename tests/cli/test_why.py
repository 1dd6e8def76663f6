"""``clock why``: one sentence for each reason."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from redis import Redis
from rq import Queue, Worker

from clock.ledger.job import job_id
from clock.ledger.pauses import Pause, pause, resume
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched


class Asked:
    """A clock that ran up to now, or a while ago, and the question."""

    def __init__(self, redis: Redis, read: ReadSchedule, clock: Clock, url: str) -> None:
        self.redis, self._read, self._clock, self._url = redis, read, clock, url
        # A whole ten seconds, a little while ago, is second 0 of every test.
        self.zero = int(time.time()) // 10 * 10 - 300

    def run(
        self,
        line: str,
        seconds: list[int] | range,
        is_idle: bool = False,
        token: str = "h:1:x",
    ) -> Watched:
        begin = self.zero - START
        watched = Watched(
            self.redis, self._read(line), now=self.zero + seconds[0], is_idle=is_idle, token=token
        )
        watched.turn(begin + second for second in seconds)
        return watched

    def local(self, second: int) -> str:
        return f"{datetime.fromtimestamp(self.zero + second, UTC):%a %Y-%m-%d %H:%M:%S %z}"

    def why(self, second: int | None, event: str = "tasks.x") -> str:
        """The sentence."""
        words = [] if second is None else [self._iso(second)]
        code, out, err = self._clock("why", event, *words, "--url", self._url, "--app", "test")
        assert (code, err) == (0, "")
        head, sentence = out.splitlines()
        assert head.startswith(f"{event}, ")
        return sentence.strip()

    def json(self, second: int) -> dict[str, object]:
        words = ("why", "tasks.x", self._iso(second), "--json", "--url", self._url)
        code, out, err = self._clock(*words, "--app", "test")
        assert (code, err) == (0, "")
        answer: dict[str, object] = json.loads(out)
        return answer

    def _iso(self, second: int) -> str:
        return f"{datetime.fromtimestamp(self.zero + second, UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def asked(redis: Redis, read: ReadSchedule, clock: Clock, server_url: str) -> Asked:
    Worker(["default"], connection=redis, name="w").register_birth()  # type: ignore[no-untyped-call]
    return Asked(redis, read, clock, server_url)


TEN = "every('10 seconds', 'tasks.x')"


def test_a_fired_occurrence_has_its_lateness_and_job(asked: Asked) -> None:
    asked.run(TEN, range(300))
    job = asked.json(290)["job"]
    assert asked.why(290) == f"fired, 0.000 s late, as job {job}; it is queued"
    asked.redis.delete(f"rq:job:{job}")
    assert asked.why(290) == "fired, 0.000 s late; RQ keeps its job no more"


def test_a_fired_occurrence_has_the_outcome_of_its_run(asked: Asked) -> None:
    asked.run(TEN, range(300))
    at = asked.zero + 290
    run = Run(
        event="tasks.x",
        scheduled=at,
        enqueued=at + 0.25,
        started=at + 1,
        ended=at + 3.5,
        outcome=RunOutcome.FAILED,
        error="ValueError",
        attempt=2,
        worker="w1",
        job="j",
    )
    write_run(asked.redis, "test", run)
    assert asked.why(290).endswith(
        "; its run failed (ValueError) in 2.500 s, attempt 2, on the worker w1"
    )
    assert asked.json(290)["run"] == {
        "outcome": "failed",
        "error": "ValueError",
        "attempt": 2,
        "duration": 2.5,
        "worker": "w1",
    }
    assert "run" not in asked.json(280)


def test_without_a_time_the_last_due_occurrence_is_explained(asked: Asked) -> None:
    asked.run(TEN, range(360))  # a slow machine asks up to a minute later
    assert asked.why(None).startswith("fired")


def test_a_paused_occurrence_names_who_paused_it_when_and_why(asked: Asked) -> None:
    watched = asked.run(TEN, range(5))
    begin = asked.zero + 5
    pause(asked.redis, "test", "tasks.x", Pause(until=None, reason="moving", by="ann", since=begin))
    watched.turn(asked.zero - START + second for second in range(5, 35))
    pause_words = f"paused by ann from {asked.local(5)}"
    assert asked.why(10) == f"{pause_words} until it is resumed: moving"
    resume(asked.redis, "test", "tasks.x", asked.zero + 34)
    assert asked.why(10) == f"{pause_words} until {asked.local(34)}: moving"
    assert asked.json(10)["pause"] == {
        "by": "ann",
        "reason": "moving",
        "since": asked._iso(5),
        "until": asked._iso(34),
    }


def test_an_overlapping_occurrence_names_the_earlier_job(asked: Asked) -> None:
    asked.run("every('10 seconds', 'tasks.x', overlap='skip')", range(35))
    job = asked.json(10)["job"]
    assert asked.json(30)["overlaps_with"] == job
    assert asked.why(30) == (
        f"skipped: overlap with the job before it, {job}, which still waited or ran"
    )


def test_an_occurrence_skipped_by_its_condition_says_so(asked: Asked) -> None:
    asked.run("every('10 seconds', 'tasks.x', if_=lambda occurrence: 0)", range(35))
    assert asked.why(30) == "skipped: its condition (if_) said no"


def test_an_occurrence_whose_condition_failed_says_so(asked: Asked) -> None:
    asked.run("every('10 seconds', 'tasks.x', if_=lambda occurrence: 1 / 0)", range(35))
    assert asked.why(30) == (
        "skipped: its condition (if_) raised an error, which the clock's log names"
    )


@pytest.mark.parametrize(
    ("options", "begins", "ends"),
    [
        ("catch_up='none'", "missed: ", ", and catch_up='none' makes nothing up"),
        (
            "",
            "missed: ",
            ", and catch_up makes up the newest only; with it 6 more were missed, up ",
        ),
        ("catch_up=2", "missed: ", ", and more were missed than the 2 that catch_up makes up"),
        ("catch_up='all', within='5s'", "missed: outside the window, within=5 s; ", ""),
        ("catch_up='all', expires='5s'", "not enqueued: it expires 5 s after its time, and ", ""),
    ],
)
def test_an_occurrence_missed_without_a_clock_names_the_absence(
    options: str, begins: str, ends: str, asked: Asked
) -> None:
    line = f"every('10 seconds', 'tasks.x', {options})"
    asked.run(line, range(26))
    asked.run(line, [107], token="h:2:x")
    sentence = asked.why(50)
    absent = f"no clock was alive from {asked.local(25)} to {asked.local(107)}"
    assert sentence.startswith(f"{begins}{absent}{ends}")
    assert asked.json(50)["no_clock"] == {"from": asked._iso(25), "until": asked._iso(107)}


def test_an_undecided_occurrence_names_the_absence_that_goes_on(asked: Asked) -> None:
    asked.run(TEN, range(26))
    assert asked.why(30) == (
        f"not enqueued: no clock has been alive since {asked.local(25)}; it is not decided yet"
    )


def test_an_overdue_occurrence_says_so(asked: Asked) -> None:
    asked.run(TEN, range(300), is_idle=True)
    assert asked.why(30).startswith("overdue: it should have fired, a clock is alive")


def test_an_occurrence_whose_job_id_is_taken_says_so(asked: Asked) -> None:
    asked.run(TEN, range(300), is_idle=True)
    identifier = job_id("test", "tasks.x", asked.zero + 30)
    Queue(connection=asked.redis).enqueue("tasks.theirs", job_id=identifier)
    assert asked.why(30) == (
        f"overdue: another job, which is queued, has the id of its job, {identifier}; "
        "it can be enqueued once that one is gone"
    )


def test_an_instant_before_the_event_was_declared_says_so(asked: Asked) -> None:
    asked.run(TEN, range(26))
    assert asked.why(-500) == (
        "not in the schedule then, or with other times: it is as it is now (10 seconds) since "
        f"{asked.local(0)}"
    )
    asked.run("every('10 seconds', 'tasks.y')", range(40, 60), token="h:2:x")
    assert asked.why(50) == f"not in the schedule then: removed by {asked.local(40)}"
    assert asked.why(None).startswith("not in the schedule then: removed by ")


def test_a_disabled_event_says_so(asked: Asked) -> None:
    asked.run("every('10 seconds', 'tasks.x', enabled=False)", range(26))
    assert asked.why(None) == f"disabled in the schedule since {asked.local(0)}"


def test_an_instant_that_is_no_occurrence_names_its_neighbours(asked: Asked) -> None:
    asked.run(TEN, range(26))
    assert asked.why(13) == (
        f"not due then (10 seconds); before it: {asked.local(10)}, after it: {asked.local(20)}"
    )


def test_a_future_occurrence_says_so(asked: Asked) -> None:
    asked.run(TEN, range(300))
    assert asked.why(4000).startswith("due then, in 1 h ")


def test_an_occurrence_older_than_the_history_says_so(asked: Asked) -> None:
    asked.run("every('1 second', 'tasks.x')", range(300))
    sentence = asked.why(10)
    assert sentence.startswith("fired, as job tasks-x-")
    assert sentence.endswith(", which is queued; the history does not reach so far")
    for key in asked.redis.scan_iter("rq:job:*"):
        asked.redis.delete(key)
    assert asked.why(10).startswith("decided, but too long ago: the history begins at ")


def test_a_time_without_an_offset_is_in_the_zone_of_the_event(
    asked: Asked, clock: Clock, server_url: str
) -> None:
    asked.run("every('day', 'tasks.x', at='09:30', tz='Asia/Tokyo')", range(3))
    words = ("why", "tasks.x", "2100-01-01T09:30", "--json", "--url", server_url, "--app", "test")
    code, out, _ = clock(*words)
    answer = json.loads(out)
    assert (code, answer["at"], answer["verdict"]) == (0, "2100-01-01T00:30:00Z", "coming")


def test_a_queue_without_a_worker_is_a_warning(asked: Asked, clock: Clock, server_url: str) -> None:
    asked.run("every('10 seconds', 'tasks.x', queue='io')", range(300))
    code, _, err = clock("why", "tasks.x", "--url", server_url, "--app", "test")
    assert (code, err) == (0, "warning: no worker listens on the queue 'io'\n")
