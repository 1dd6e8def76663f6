"""Two versions of a schedule file alive at once, turn by turn: what ``docs/deploys.md`` states."""

from __future__ import annotations

from datetime import datetime

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from clock import Schedule
from clock.decision import Kind
from clock.ledger.ledger import Ledger
from clock.ledger.records import read_record
from clock.loop.loop import Loop
from clock.stop import Stop
from tests.conftest import ReadSchedule

START = 1_800_000_000


class Version:
    """The clock of one version of a file; its turns are taken at given seconds after START."""

    def __init__(self, redis: Redis, schedule: Schedule, token: str) -> None:
        self._now = float(START)
        self._loop = Loop(
            list(schedule.events.values()),
            Ledger(redis, app="test", token=token),
            Stop(),
            now=lambda: self._now,
        )

    def at(self, moment: float) -> None:
        self._now = START + moment
        self._loop.tick()


def test_an_event_in_both_versions_fires_once_each_time(redis: Redis, read: ReadSchedule) -> None:
    old, new = _versions(redis, read, ["every('10 seconds', 'tasks.x')"] * 2)
    _overlap(old, new, until=40)
    assert _fired(redis) == ["x+10", "x+20", "x+30", "x+40"]


def test_an_event_that_was_added_fires_from_the_start_of_the_new_version_on(
    redis: Redis, read: ReadSchedule
) -> None:
    one, two = "every('10 seconds', 'tasks.x')", "every('10 seconds', 'tasks.y')"
    old, new = _versions(redis, read, [one, f"{one}; {two}"])
    _overlap(old, new, until=30)
    assert [job for job in _fired(redis) if job[0] == "y"] == ["y+20", "y+30"]


def test_an_event_that_was_removed_fires_as_long_as_the_old_version_lives(
    redis: Redis, read: ReadSchedule
) -> None:
    one, two = "every('10 seconds', 'tasks.x')", "every('10 seconds', 'tasks.y')"
    old, new = _versions(redis, read, [f"{one}; {two}", one])
    _overlap(old, new, until=30)
    for moment in (40, 50):
        new.at(moment)
    assert [job for job in _fired(redis) if job[0] == "y"] == ["y+10", "y+20", "y+30"]


def test_an_event_that_moved_fires_at_its_old_and_its_new_times_and_once_where_they_agree(
    redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis, read, ["every('10 seconds', 'tasks.x')", "every('15 seconds', 'tasks.x')"]
    )
    _overlap(old, new, until=40)
    for moment in (45, 50, 60):
        new.at(moment)
    assert _fired(redis) == ["x+10", "x+15", "x+20", "x+30", "x+40", "x+45", "x+60"]


def test_an_event_that_moved_to_a_time_already_past_waits_for_its_next(
    redis: Redis, read: ReadSchedule
) -> None:
    # START is at 08:00:00. The old time is never reached: the old version ends at 28.
    old, new = _versions(
        redis,
        read,
        [
            "every('day', 'tasks.x', at='08:00:30')",
            "every('day', 'tasks.x', at='08:00:10')",
        ],
    )
    _overlap(old, new, until=28)
    for moment in (30, 60, 86_410):
        new.at(moment)
    assert _fired(redis) == ["x+86410"]
    assert read_record(redis, "test", "tasks.x").counters["missed"] == 0


def test_a_start_of_the_new_version_makes_up_nothing_of_an_event_that_moved(
    redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis,
        read,
        [
            "every('10 seconds', 'tasks.x', catch_up='all')",
            "every('15 seconds', 'tasks.x', catch_up='all')",
        ],
    )
    old.at(0)
    new.at(44)
    new.at(45)
    assert _fired(redis) == ["x+45"]


def test_a_time_of_the_new_version_that_the_old_one_has_overtaken_does_not_fire(
    redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis, read, ["every('10 seconds', 'tasks.x')", "every('15 seconds', 'tasks.x')"]
    )
    old.at(0)
    new.at(12)
    old.at(20)
    new.at(20.5)
    new.at(30)
    assert _fired(redis) == ["x+20", "x+30"]
    kinds = [each.kind for each in read_record(redis, "test", "tasks.x").history]
    assert kinds == [Kind.FIRED, Kind.FIRED]


@pytest.mark.parametrize("first", ["old", "new"])
def test_changed_arguments_hold_from_the_start_of_the_new_version_whoever_claims(
    first: str, redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis,
        read,
        [f"every('10 seconds', 'tasks.x', args=['{name}'])" for name in ("old", "new")],
    )
    old.at(0)
    old.at(10)
    new.at(12)
    for version in (old, new) if first == "old" else (new, old):
        version.at(20)
    assert _fired(redis) == ["x+10", "x+20"]
    assert [job.args for job in _jobs(redis)] == [("old",), ("new",)]


def test_changed_arguments_do_not_move_the_times_nor_forget_what_was_missed(
    redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis,
        read,
        [
            f"every('10 seconds', 'tasks.x', args=['{name}'], catch_up='all')"
            for name in ("old", "new")
        ],
    )
    old.at(0)
    new.at(25)
    assert _fired(redis) == ["x+10", "x+20"]


def test_an_old_version_that_starts_again_brings_its_arguments_back_until_the_new_one_does(
    redis: Redis, read: ReadSchedule
) -> None:
    texts = [f"every('10 seconds', 'tasks.x', args=['{name}'])" for name in ("old", "new")]
    old, new = _versions(redis, read, texts)
    old.at(0)
    new.at(5)
    _versions(redis, read, texts)[0].at(6)
    new.at(10)
    _versions(redis, read, texts)[1].at(15)
    new.at(20)
    assert [job.args for job in _jobs(redis)] == [("old",), ("new",)]


def test_an_event_that_was_renamed_is_two_events_while_both_versions_live(
    redis: Redis, read: ReadSchedule
) -> None:
    old, new = _versions(
        redis,
        read,
        [f"every('10 seconds', 'tasks.x', name='{name}')" for name in ("before", "after")],
    )
    _overlap(old, new, until=20)
    new.at(30)
    events = [(job.meta["clock"]["event"], _after_start(job.meta)) for job in _jobs(redis)]
    assert events == [("before", 10), ("before", 20), ("after", 20), ("after", 30)]


def _versions(redis: Redis, read: ReadSchedule, texts: list[str]) -> tuple[Version, Version]:
    old, new = (read("timezone('UTC')", text) for text in texts)
    return Version(redis, old, "old"), Version(redis, new, "new")


def _overlap(old: Version, new: Version, until: int) -> None:
    """The old version lives from 0 to ``until``, the new one from 12 on."""
    for moment in range(until + 1):
        old.at(moment)
        if moment >= 12:
            new.at(moment)


def _jobs(redis: Redis) -> list[Job]:
    return Queue("default", connection=redis).jobs


def _after_start(meta: dict[str, dict[str, str]]) -> int:
    return round(datetime.fromisoformat(meta["clock"]["scheduled_at"]).timestamp()) - START


def _fired(redis: Redis) -> list[str]:
    """The jobs as ``task+seconds after START``."""
    return [
        f"{str(job.func_name).removeprefix('tasks.')}+{_after_start(job.meta)}"
        for job in _jobs(redis)
    ]
