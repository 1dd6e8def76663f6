"""Conditions are asked beside the loop: what waits for their answers, and what does not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from redis import Redis

from clock import Clock, Schedule
from clock.errors import ServerError
from clock.ledger.ledger import Claim, Ledger, Sent
from clock.ledger.records import read_record
from clock.loop.loop import Loop
from clock.schedule.condition_time import ConditionTime
from clock.stop import Stop
from tests.conftest import ReadSchedule
from tests.live.jobs import scheduled
from tests.live.waiting import wait_for
from tests.loop.passes import take_turn

START = 1_800_000_000

LINE = "every('10 seconds', 'tasks.x')"


class Gate:
    """A condition that answers when it is let: by default yes."""

    def __init__(self, answer: bool = True) -> None:
        self.open = threading.Event()
        self.asked: list[int] = []
        self._answer = answer

    def __call__(self, about: ConditionTime) -> bool:
        self.asked.append(round(about.scheduled_at.timestamp()) - START)
        assert self.open.wait(30)
        return self._answer


class Asked:
    """A clock whose first event has a condition; its turns are taken one by one."""

    def __init__(
        self,
        redis: Redis,
        schedule: Schedule,
        condition: Callable[[ConditionTime], object],
        *,
        token: str = "t",
        timeout: float = 30.0,
    ) -> None:
        first, *others = schedule.events.values()
        first = replace(first, policy=replace(first.policy, condition=condition))
        self.now = float(START)
        self.loop = Loop(
            [first, *others],
            Ledger(redis, app="test", token=token),
            Stop(),
            now=lambda: self.now,
            condition_timeout=timeout,
        )

    def to(self, *moments: float) -> None:
        """A turn at each of the moments after START, whoever has not answered."""
        for moment in moments:
            self.now = START + moment
            self.loop.tick()

    def answered(self) -> None:
        """A turn, and all that the answers lead to."""
        take_turn(self.loop)


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="clock"):
        yield caplog


def test_while_a_condition_is_asked_later_occurrences_of_its_event_wait(
    redis: Redis, read: ReadSchedule
) -> None:
    gate = Gate()
    clock = Asked(redis, read(LINE, "every('10 seconds', 'tasks.y')"), gate)
    clock.to(0, 10, 14, 18, 20, 24, 28, 30)
    assert _fired(redis, "tasks.y") == [10, 20, 30]
    wait_for("it is asked", lambda: gate.asked)
    assert (_fired(redis), gate.asked) == ([], [10])
    gate.open.set()
    clock.answered()
    assert _fired(redis) == [10, 20, 30]


def test_what_was_missed_waits_as_well(redis: Redis, read: ReadSchedule) -> None:
    schedule, gate = read(LINE), Gate()
    Asked(redis, schedule, gate).to(0)
    clock = Asked(redis, schedule, gate)
    clock.to(55, 59, 60, 64, 68, 70)
    wait_for("it is asked", lambda: gate.asked)
    assert (_fired(redis), gate.asked) == ([], [50])
    gate.open.set()
    clock.answered()
    assert _fired(redis) == [50, 60, 70]
    assert read_record(redis, "test", "tasks.x").counters["missed"] == 4


def test_within_counts_from_the_conditions(redis: Redis, read: ReadSchedule) -> None:
    gate = Gate()
    clock = Asked(redis, read("every('10 seconds', 'tasks.x', within='3s')"), gate)
    clock.to(0, 10, 14, 18)
    gate.open.set()
    clock.answered()
    assert _fired(redis) == [10]


@pytest.mark.parametrize(("first", "fired"), [(True, [10]), (False, [])])
def test_the_decision_of_the_clock_that_answers_first_stands(
    first: bool, fired: list[int], redis: Redis, read: ReadSchedule
) -> None:
    schedule, slow = read(LINE), Gate(not first)
    one = Asked(redis, schedule, slow, token="one")
    two = Asked(redis, schedule, lambda _: first, token="two")
    one.to(0, 10)
    two.to(0)
    two.now = START + 10
    two.answered()
    slow.open.set()
    one.answered()
    assert _fired(redis) == fired
    counters = read_record(redis, "test", "tasks.x").counters
    assert (counters["fired"], counters["unmet"]) == (len(fired), 1 - len(fired))


@pytest.mark.long
def test_one_that_does_not_answer_in_time_is_an_error_until_it_does(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    clock = Asked(redis, read(LINE), gate, timeout=0.05)
    clock.to(0)
    clock.now = START + 10
    clock.answered()
    clock.to(14, 18, 20)
    assert read_record(redis, "test", "tasks.x").counters["error"] == 2
    # One thread hangs, and there is no other.
    wait_for("it is asked", lambda: gate.asked)
    assert gate.asked == [10]
    gate.open.set()
    wait_for("it answers at last", lambda: clock.loop._user_code._threads._answers)
    clock.to(24, 28)
    clock.now = START + 30
    clock.answered()
    assert (_fired(redis), gate.asked) == ([30], [10, 30])
    (said,) = _said(logged, "trouble")
    assert said == {"event": "tasks.x", "reason": "its condition has not answered in 0.05 s"}


def test_a_server_is_not_back_because_a_condition_was_asked(
    redis: Redis,
    read: ReadSchedule,
    logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Asked(redis, read(LINE), lambda _: True)
    clock.to(0)

    def fail(_self: Ledger, _claims: Sequence[Claim], *_times: float | None) -> Sent:
        raise ServerError("away", "away")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "send", fail)
        for moment in (10, 11, 12, 13):
            clock.now = START + moment
            clock.answered()
    clock.now = START + 14
    clock.answered()
    said = [each.message for each in logged.records if each.message.startswith("server ")]
    assert said == ["server away", "server back"]
    assert _fired(redis) == [10]


def test_what_was_not_asked_before_the_server_went_away_is_caught_up(
    redis: Redis, read: ReadSchedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = read(
        "every('10 seconds', 'tasks.x', catch_up='none')", "every('10 seconds', 'tasks.y')"
    )
    asked: list[int] = []

    def condition(about: ConditionTime) -> bool:
        asked.append(round(about.scheduled_at.timestamp()) - START)
        return True

    clock = Asked(redis, schedule, condition)
    clock.to(0, 4, 8)

    def fail(_self: Ledger, _claims: Sequence[Claim], *_times: float | None) -> Sent:
        raise ServerError("away", "away")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "send", fail)
        clock.to(10, 14, 18, 22)
    clock.now = START + 25
    clock.answered()
    assert (_fired(redis), _fired(redis, "tasks.y")) == ([], [20])
    clock.now = START + 30
    clock.answered()
    assert (_fired(redis), asked) == ([30], [30])


def test_errors_whose_text_changes_are_said_once_an_hour(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    def fails_now_and_then(about: ConditionTime) -> bool:
        if about.scheduled_at.second % 20:
            raise ValueError(f"not at {about.scheduled_at}")
        return True

    clock = Asked(redis, read(LINE), fails_now_and_then)
    for moment in range(0, 3700, 5):
        clock.now = START + moment
        clock.answered()
    first, again = _said(logged, "trouble")
    assert "count" not in first
    assert again["count"] == 180 - 1


def test_conditions_of_two_clocks_in_one_process(redis: Redis, read: ReadSchedule) -> None:
    line = "every('1 second', 'tasks.x', if_=lambda t: t.event == 'tasks.x' and t.day, queue={!r})"
    shop = Clock(read(line.format("shop")), redis, app="shop", condition_timeout=5.0)
    mail = Clock(read(line.format("mail")), redis, app="mail")
    with shop.running(), mail.running():
        for queue in ("shop", "mail"):
            key = f"rq:queue:{queue}"
            wait_for(f"{queue} fires", lambda key=key: redis.llen(key) > 1)  # type: ignore[misc]


def test_a_clock_that_stops_leaves_what_is_being_asked_undecided(
    redis: Redis, read: ReadSchedule, logged: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    clock = Asked(redis, read(LINE), gate)
    clock.to(0, 10)
    clock.loop._stop.set()
    clock.loop.run()
    (said,) = _said(logged, "abandoned")
    assert said["reason"] == "its condition was still being asked; the next start decides"
    assert read_record(redis, "test", "tasks.x").decided == START
    gate.open.set()


def _fired(redis: Redis, event: str = "tasks.x") -> list[int]:
    return [each - START for each in scheduled(redis, event)]


def _said(logged: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [each.__dict__["fields"] for each in logged.records if each.message == message]
