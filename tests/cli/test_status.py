"""``clock status`` and ``clock history``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from redis import Redis
from rq import Worker

from clock import Schedule
from clock.ledger.pauses import Pause, pause
from clock.runs.output import RunOutput, write_output
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.worker import Worker as ClockWorker
from tests.cli.command import Clock
from tests.conftest import ReadSchedule
from tests.live.port import free_port
from tests.loop.heartbeat import START, Watched

Ran = Callable[..., Watched]


@pytest.fixture
def ran(redis: Redis, read: ReadSchedule) -> Ran:
    """Let a clock run on a schedule of some lines: from so many seconds ago to so many."""

    def run(*lines: str, since: int, until: int = 0, is_idle: bool = False) -> Watched:
        now = time.time() - START
        clock = Watched(redis, read(*lines), now=START + now - since, is_idle=is_idle)
        clock.turn(now - ago for ago in range(since, until - 1, -1))
        return clock

    return run


@pytest.fixture
def worker(redis: Redis) -> None:
    """A worker that listens on the default queue."""
    Worker(["default"], connection=redis, name="w").register_birth()  # type: ignore[no-untyped-call]


@pytest.mark.usefixtures("worker")
def test_all_is_well(clock: Clock, ran: Ran, server_url: str) -> None:
    ran("every('10 seconds', 'tasks.x', tz='Asia/Tokyo')", since=30)
    code, out, err = clock("status", "--url", server_url, "--app", "test")
    assert (code, err) == (0, "")
    assert "clock   h:1  " in out
    assert "1 event, zone UTC, version " in out
    (row,) = (line for line in out.splitlines() if line.startswith("tasks.x"))
    assert row.split()[1:3] == ["on", "time"]
    assert row.count("+0900") == 2
    assert out.endswith("1 event: 1 on time\n")


@pytest.mark.usefixtures("worker")
def test_an_event_whose_last_run_failed_is_failing(
    clock: Clock, ran: Ran, redis: Redis, server_url: str
) -> None:
    ran("every('10 seconds', 'tasks.x')", since=30)
    at = int(time.time()) - 10
    run = Run(
        event="tasks.x",
        scheduled=at,
        enqueued=at,
        started=at,
        ended=at + 1,
        outcome=RunOutcome.FAILED,
        error="ValueError",
        attempt=1,
        worker="w1",
        job="j",
    )
    write_run(redis, "test", run)
    code, out, _ = clock("status", "--url", server_url, "--app", "test")
    assert (code, out.splitlines()[-1]) == (0, "1 event: 1 failing")
    (note,) = (line for line in out.splitlines() if line.startswith("failing: "))
    assert note.endswith(": ValueError (job j)")


@pytest.mark.usefixtures("worker")
def test_a_failing_event_shows_the_last_line_of_its_error(
    clock: Clock, ran: Ran, redis: Redis, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran("every('10 seconds', 'json.loads', args=['{'])", since=30)
    monkeypatch.setenv("CLOCK_APP", "test")
    ClockWorker(["default"], connection=redis, serializer="pickle").work(
        burst=True, max_jobs=1, logging_level="CRITICAL"
    )
    _, out, _ = clock("status", "--url", server_url, "--app", "test")
    (note,) = (line for line in out.splitlines() if line.startswith("failing: "))
    assert "json.decoder.JSONDecodeError: Expecting property name enclosed" in note


@pytest.mark.usefixtures("worker")
def test_a_paused_event_says_who_paused_it_until_when_and_why(
    clock: Clock, ran: Ran, redis: Redis, server_url: str
) -> None:
    ran("every('day', 'tasks.x', tz='Asia/Tokyo')", since=30)
    now = int(time.time())
    pause(redis, "test", "tasks.x", Pause(until=None, reason="it moves", by="ann@host", since=now))
    _, out, _ = clock("status", "--url", server_url, "--app", "test")
    (note,) = (line for line in out.splitlines() if line.startswith("paused: "))
    assert note.startswith("paused: tasks.x by ann@host since ")
    assert note.endswith("+0900, until it is resumed: it moves")


@pytest.mark.usefixtures("redis")
def test_if_no_clock_has_ever_run_the_exit_code_is_6(clock: Clock, server_url: str) -> None:
    code, _, err = clock("status", "--url", server_url)
    assert (code, err) == (6, "no clock is alive: none has run yet\n")


@pytest.mark.usefixtures("worker")
def test_if_no_clock_is_alive_the_exit_code_is_6(clock: Clock, ran: Ran, server_url: str) -> None:
    ran("every('10 seconds', 'tasks.x')", since=300, until=120)
    code, out, err = clock("status", "--url", server_url, "--app", "test")
    assert code == 6
    assert err.startswith("no clock is alive: the last tick was 2 min")
    assert "no clock" in out


@pytest.mark.usefixtures("worker")
def test_if_one_of_two_files_has_no_clock_the_exit_code_is_6(
    clock: Clock, ran: Ran, redis: Redis, read: ReadSchedule, server_url: str
) -> None:
    schedule = read("every('day', 'tasks.y')")
    other = Schedule(path="other.py", zone=schedule.zone, events=schedule.events)
    Watched(redis, other, now=time.time() - 300, token="h:2:x").turn([time.time() - START - 300])
    ran("every('10 seconds', 'tasks.x')", since=30)
    code, _, err = clock("status", "--url", server_url, "--app", "test")
    assert (code, err) == (6, "no clock of other.py is alive\n")


@pytest.mark.usefixtures("worker")
def test_if_an_event_is_overdue_the_exit_code_is_7(clock: Clock, ran: Ran, server_url: str) -> None:
    ran("every('10 seconds', 'tasks.x')", since=100, is_idle=True)
    words = ("status", "--url", server_url, "--app", "test")
    code, out, err = clock(*words)
    assert code == 7
    assert err.startswith("overdue: tasks.x should have fired at ")
    assert "1 event: 1 overdue" in out
    assert clock(*words, "--overdue-after", "1000")[0] == 0


@pytest.mark.usefixtures("worker")
def test_if_two_clocks_declare_an_event_differently_the_exit_code_is_7(
    clock: Clock, redis: Redis, read: ReadSchedule, server_url: str
) -> None:
    begin = int(time.time() - START) - 30
    clocks = []
    for host, task in (("prod", "tasks.x"), ("staging", "tasks.y")):
        schedule = read(f"every('day', {task!r}, name='nightly')")
        named = Schedule(path=f"{host}.py", zone=schedule.zone, events=schedule.events)
        clocks.append(Watched(redis, named, token=f"{host}:1:x", conflict_after=10.0))
    for second in range(begin, begin + 31, 5):
        for watched in clocks:
            watched.turn([second])
    code, out, err = clock("status", "--url", server_url, "--app", "test", "--json")
    answer = json.loads(out)
    assert (code, answer["healthy"]) == (7, False)
    assert {life["host"] for life in answer["conflicts"][0]["clocks"]} == {"prod", "staging"}
    assert err.startswith("conflict: the clocks of ")
    for word in ("prod.py on prod:1", "staging.py on staging:1", "nightly", "--app", "queues"):
        assert word in err.splitlines()[0]


@pytest.mark.usefixtures("worker")
def test_an_overdue_event_whose_queue_is_broken_says_so(
    clock: Clock, ran: Ran, redis: Redis, server_url: str
) -> None:
    redis.set("rq:queue:default", "x")
    ran("every('10 seconds', 'tasks.x')", since=100)
    code, _, err = clock("status", "--url", server_url, "--app", "test")
    assert code == 7
    assert err.endswith("; the key of its queue 'default' holds no queue\n")


@pytest.mark.usefixtures("worker")
def test_a_queue_without_a_worker_is_a_warning_and_keeps_the_exit_code(
    clock: Clock, ran: Ran, server_url: str
) -> None:
    ran(
        "every('10 seconds', 'tasks.x')",
        "every('10 seconds', 'tasks.y', queue='io')",
        "every('10 seconds', 'tasks.z', queue='off', enabled=False)",
        since=30,
    )
    code, _, err = clock("status", "--url", server_url, "--app", "test")
    assert (code, err) == (0, "warning: no worker listens on the queue 'io' of 1 event\n")


def test_a_clock_without_events_is_a_warning_and_keeps_the_exit_code(
    clock: Clock, ran: Ran, server_url: str
) -> None:
    ran("", since=10)
    code, out, err = clock("status", "--url", server_url, "--app", "test")
    assert (code, out.splitlines()[-1]) == (0, "0 events")
    assert err.startswith("warning: ")
    assert err.endswith("schedule.py declares no events\n")


@pytest.mark.usefixtures("worker")
def test_the_status_is_one_json_object(
    clock: Clock, ran: Ran, redis: Redis, server_url: str
) -> None:
    until = int(time.time()) + 600
    asked = Pause(until=until, reason="moving", by="ann@host", since=until - 700)
    ran("every('10 seconds', 'tasks.x')", "every('day', 'tasks.y')", since=30)
    pause(redis, "test", "tasks.y", asked)
    code, out, _ = clock("status", "--json", "--url", server_url, "--app", "test")
    answer = json.loads(out)
    assert (code, answer["healthy"], answer["overdue"]) == (0, True, [])
    assert [life["pid"] for life in answer["clocks"]] == [1]
    assert answer["queues"] == [{"queue": "default", "workers": 1}]
    fired, paused = answer["events"]
    assert (fired["event"], fired["state"], fired["last_decision"]) == (
        "tasks.x",
        "on time",
        "fired",
    )
    assert (fired["every"], fired["sentence"]) == (
        "10 seconds",
        "every 10 seconds of real time",
    )
    assert fired["counters"]["fired"] >= 2
    assert (paused["state"], paused["paused"]["by"]) == ("paused", "ann@host")


def test_the_address_is_shown_without_its_password(
    clock: Clock, ran: Ran, redis: Redis, server_url: str
) -> None:
    ran("every('10 seconds', 'tasks.x')", since=30)
    redis.execute_command(
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">secret",
        "~*",
        "+@read",
        "+@connection",
        "+multi",
        "+exec",
    )  # type: ignore[no-untyped-call]
    try:
        url = server_url.replace("//", "//reader:secret@")
        code, out, err = clock("status", "--url", url, "--app", "test")
    finally:
        redis.acl_deluser("reader")
    assert code == 0
    assert "secret" not in out + err
    assert "reader:***@" in out


def test_the_history_of_all_events_has_the_latest_first(
    clock: Clock, ran: Ran, server_url: str
) -> None:
    ran(
        "every('10 seconds', 'tasks.x')",
        "every('20 seconds', 'tasks.y', if_=lambda o: 0)",
        since=60,
    )
    code, out, err = clock("history", "-n", "5", "--url", server_url, "--app", "test")
    assert (code, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["WHEN", "ZONE", "EVENT", "LATE", "WHAT", "JOB", "OUTCOME"]
    assert len(rows) == 5
    assert rows == sorted(rows, key=lambda row: row[:24], reverse=True)
    assert any("skipped: its condition" in row for row in rows)
    assert any("enqueued" in row and "tasks-x-" in row for row in rows)


def test_the_history_of_an_event_is_one_json_object_a_line(
    clock: Clock, ran: Ran, server_url: str
) -> None:
    ran("every('10 seconds', 'tasks.x')", "every('10 seconds', 'tasks.y')", since=60)
    code, out, _ = clock("history", "tasks.x", "--json", "--url", server_url, "--app", "test")
    decisions = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {decision["event"] for decision in decisions} == {"tasks.x"}
    assert {decision["what"] for decision in decisions} == {"fired"}
    assert all(decision["job"].startswith("tasks-x-") for decision in decisions)


def test_the_history_shows_what_the_runs_of_a_job_printed(
    clock: Clock, redis: Redis, server_url: str
) -> None:
    for attempt, outcome in ((1, RunOutcome.RETRIED), (2, RunOutcome.SUCCEEDED)):
        output = RunOutput(
            job="job-1",
            attempt=attempt,
            event="tasks.x",
            outcome=outcome,
            ended=START,
            text="\x1b[31mred\x1b[0m\x07\n",
            written=70_000,
        )
        write_output(redis, "test", output, 2**20)
    words = ("history", "--output", "job-1", "--url", server_url, "--app", "test")
    code, out, err = clock(*words)
    assert (code, err) == (0, "")
    ended = "Fri 2027-01-15 08:00:00 +0000, the last lines of 70000 bytes"
    assert out == (
        f"job-1 of tasks.x, attempt 1: retried, {ended}\nred\\x07\n\n"
        f"job-1 of tasks.x, attempt 2: succeeded, {ended}\nred\\x07\n"
    )
    shown = [json.loads(line) for line in clock(*words, "--json")[1].splitlines()]
    assert [output["attempt"] for output in shown] == [1, 2]
    code, out, err = clock(*words[:2], "job-2", *words[3:])
    assert (code, out, err) == (2, "", "clock: no output of job 'job-2' is kept, or no longer\n")


@pytest.mark.parametrize("command", ["history", "why"])
@pytest.mark.usefixtures("redis")
def test_an_unknown_event_is_one_line_and_exit_code_2(
    command: str, clock: Clock, server_url: str
) -> None:
    code, out, err = clock(command, "tasks.z", "--url", server_url)
    assert (code, out) == (2, "")
    assert err.startswith("clock: there is no event 'tasks.z'")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("status",), ("history",), ("why", "tasks.x")])
def test_a_server_that_is_away_is_one_line_and_exit_code_3(
    words: tuple[str, ...], clock: Clock
) -> None:
    code, out, err = clock(*words, "--url", f"redis://:secret@127.0.0.1:{free_port()}")
    assert (code, out) == (3, "")
    assert err.startswith("clock: ConnectionError: ")
    assert "secret" not in err


@pytest.mark.usefixtures("worker")
def test_a_run_by_hand_is_in_history_status_and_why_with_its_job_and_outcome(
    clock: Clock, ran: Ran, redis: Redis, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran("every('year', 'json.loads', name='yearly', args=['{'])", since=5)
    words = ("--url", server_url, "--app", "test")
    job = clock("run", "yearly", *words)[1].split()[-1]
    monkeypatch.setenv("CLOCK_APP", "test")
    ClockWorker(["default"], connection=redis, serializer="pickle").work(
        burst=True, logging_level="CRITICAL"
    )
    entry = json.loads(clock("history", "yearly", *words, "--json")[1])
    assert (entry["what"], entry["job"]) == ("manual", job)
    assert (entry["outcome"], entry["error"]) == ("failed", "JSONDecodeError")
    shown = clock("history", "yearly", *words)[1]
    assert shown.splitlines()[-1].endswith(f"run by hand  {job}  failed: JSONDecodeError")

    answer = json.loads(clock("why", "yearly", entry["scheduled_at"], *words, "--json")[1])
    assert answer["manual"] == [{"job": job, "status": "failed", "outcome": "failed"}]
    assert f"it was run by hand then, as job {job}, failed" in answer["said"]
    (row,) = (line for line in clock("status", *words)[1].splitlines() if "yearly  " in line)
    assert "never" not in row
