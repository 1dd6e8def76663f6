"""Clocks that declare one event differently: two applications under one name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from clock import Schedule, load
from clock.observe.snapshot import read_snapshot
from clock.observe.status import AppStatus, status
from tests.loop.heartbeat import START, Watched

Write = Callable[..., Schedule]

DAY = "every('day', 'tasks.x', name='x', at='09:00')"


@pytest.fixture
def schedule(tmp_path: Path) -> Write:
    """The schedule of a project: its file is called after it."""

    def write(project: str, *lines: str, serializer: str = "pickle") -> Schedule:
        file = tmp_path / f"{project}.py"
        words = "from clock import cron, defaults, every, timezone"
        file.write_text("\n".join((words, "timezone('UTC')", *lines)) + "\n")
        return load(file, serializer=serializer)

    return write


def test_two_projects_under_one_name_are_a_conflict_in_both_logs_and_in_the_status(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    prod = schedule("prod", DAY.replace("09:00'", "09:00', queue='prod'"))
    staging = schedule("staging", DAY.replace("09:00'", "09:00', queue='staging'"))
    clocks = _pair(redis, prod, staging)
    _turn(clocks, range(0, 360, 5))
    ours, theirs = _said(caplog, "conflict")
    assert {ours["ours"], theirs["ours"]} == {
        f"{prod.path} on a:1",
        f"{staging.path} on b:2",
    }
    assert (ours["ours"], ours["theirs"]) == (theirs["theirs"], theirs["ours"])
    assert ours["events"] == "x"
    assert "--app" in ours["remedy"]
    assert "queues of their own" in ours["remedy"]
    found = _status(redis, 356)
    assert not found.is_healthy
    (conflict,) = found.conflicts
    assert {life.file for life in conflict.clocks} == {prod.path, staging.path}
    assert (conflict.number, conflict.events) == (1, ("x",))


def test_a_deploy_whose_versions_differ_is_silent(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="clock")
    old, new = _pair(redis, schedule("main", DAY), schedule("main", DAY.replace("09", "10")))
    old.turn(range(0, 2000, 5))
    _turn([old, new], range(2000, 2295, 5))
    new.turn(range(2295, 4000, 5))
    said = {each.message for each in caplog.records if each.message != "server"}
    assert said <= {"missed"}
    assert _status(redis, 3995).conflicts == ()


def test_a_deploy_that_goes_on_for_longer_than_it_may_is_a_conflict_until_one_ends(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="clock")
    old, new = _pair(
        redis,
        schedule("main", DAY),
        schedule("main", DAY.replace("09", "10")),
        conflict_after=600.0,
    )
    old.turn(range(0, 100, 5))
    _turn([old, new], range(100, 690, 5))
    assert _said(caplog, "conflict") == []
    _turn([old, new], range(690, 800, 5))
    assert len(_said(caplog, "conflict")) == 2
    new.turn(range(800, 900, 5))
    assert len(_said(caplog, "conflict resolved")) == 1
    assert _status(redis, 895).conflicts == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DAY, DAY.replace("tasks.x", "tasks.y")),
        (DAY, DAY.replace("name", "args=[1], name")),
        (DAY, DAY.replace("name", "kwargs={'a': 1}, name")),
        (DAY, DAY.replace("name", "queue='io', name")),
        (DAY, DAY.replace("09:00", "09:01")),
        (DAY, DAY.replace("name", "tz='Europe/Berlin', name")),
        (DAY, DAY.replace("name", "timeout=5, name")),
        (DAY, DAY.replace("name", "expires=5, name")),
        (DAY, DAY.replace("name", "meta={'a': 1}, name")),
        (DAY, DAY.replace("name", "overlap='skip', name")),
        (DAY, DAY.replace("name", "catch_up='none', name")),
        (DAY, DAY.replace("name", "enabled=False, name")),
        (DAY, DAY.replace("name", "if_=lambda occurrence: True, name")),
    ],
)
def test_what_decides_when_an_event_fires_or_as_what_job_must_be_the_same(
    redis: Redis, schedule: Write, one: str, other: str
) -> None:
    clocks = _pair(redis, schedule("one", one), schedule("other", other))
    _turn(clocks, range(0, 360, 5))
    assert len(_status(redis, 355).conflicts) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([DAY], [DAY]),
        ([DAY], ["# on another line", DAY]),
        ([DAY], [DAY.replace("'day'", "cron('0 9 * * *')").replace(", at='09:00'", "")]),
        ([DAY], ["every('hour', 'tasks.y', name='y')"]),
        ([DAY], [DAY, "every('hour', 'tasks.y', name='y')"]),
        (
            [DAY.replace("name", "args=[{'a', 'b', 'c'}], name")],
            [DAY.replace("name", "args=[{'c', 'b', 'a'}], name")],
        ),
        ([DAY.replace("name", "args=[object()], name")],) * 2,
    ],
    ids=["same", "moved in its file", "respelled", "disjoint", "some in common", "sets", "objects"],
)
def test_two_files_that_agree_on_what_both_have_are_no_conflict(
    redis: Redis,
    schedule: Write,
    caplog: pytest.LogCaptureFixture,
    one: list[str],
    other: list[str],
) -> None:
    caplog.set_level("INFO", logger="clock")
    clocks = _pair(redis, schedule("one", *one), schedule("other", *other))
    _turn(clocks, range(0, 700, 5))
    assert _said(caplog, "conflict") == []
    assert _status(redis, 695).conflicts == ()
    # Whoever comes second says that there is another file.
    (line,) = _said(caplog, "other schedule file")
    assert (line["host"], line["file"].endswith("one.py")) == ("a:1", True)


def test_another_serializer_makes_other_jobs(redis: Redis, schedule: Write) -> None:
    one, other = schedule("one", DAY), schedule("other", DAY, serializer="json")
    clocks = [
        Watched(redis, one, token="a:1:x"),
        Watched(redis, other, token="b:2:x", serializer="json"),
    ]
    _turn(clocks, range(0, 360, 5))
    assert len(_status(redis, 355).conflicts) == 1


def test_many_events_are_counted_and_some_named(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    lines = "for i in range(1000): every('day', 'tasks.x', name=f'n{i:04}', args=[PROJECT])"
    clocks = _pair(
        redis,
        schedule("one", lines.replace("PROJECT", "1")),
        schedule("b", lines.replace("PROJECT", "2")),
    )
    _turn(clocks, range(0, 360, 5))
    assert (
        _said(caplog, "conflict")[0]["events"] == "n0000, n0001, n0002, n0003, n0004 and 995 more"
    )
    assert _status(redis, 355).conflicts[0].number == 1000


def test_a_conflict_is_said_once_an_hour(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    clocks = _pair(redis, schedule("one", DAY), schedule("other", DAY.replace("09", "10")))
    _turn(clocks, range(0, 3600, 5))
    assert len(_said(caplog, "conflict")) == 2
    _turn(clocks, range(3600, 3960, 5))
    assert len(_said(caplog, "conflict")) == 4


def test_a_server_that_lost_its_data_is_told_again_what_the_clocks_declare(
    redis: Redis, schedule: Write
) -> None:
    clocks = _pair(redis, schedule("one", DAY), schedule("other", DAY.replace("09", "10")))
    _turn(clocks, range(0, 100, 5))
    redis.flushall()
    _turn(clocks, range(100, 360, 5))
    assert len(_status(redis, 355).conflicts) == 1


def test_a_clock_of_an_earlier_release_says_nothing_and_nothing_is_said_of_it(
    redis: Redis, schedule: Write, caplog: pytest.LogCaptureFixture
) -> None:
    life = {
        "host": "b", "pid": 2, "version": "0.1.0", "file": "other.py", "serializer": "pickle",
        "zone": "UTC", "events": 1, "started": START, "last_tick": START + 900, "stopped": None,
        "gaps": [],
    }  # fmt: skip
    redis.hset("clock:test:clocks", "b:2:x", json.dumps(life))
    Watched(redis, schedule("one", DAY), token="a:1:x").turn(range(0, 900, 5))
    assert _said(caplog, "conflict") == []
    assert len(_status(redis, 900).alive) == 2


def test_the_declarations_of_a_version_are_written_once_and_expire(
    redis: Redis, schedule: Write
) -> None:
    clocks = _pair(redis, schedule("one", DAY), schedule("other", DAY))
    _turn(clocks, range(0, 60, 5))
    (key,) = redis.keys("clock:test:declared:*")
    assert redis.strlen(key) == 16
    assert 0 < redis.ttl(key) <= 3 * 86_400


def test_the_declarations_of_the_others_are_read_once(redis: Redis, schedule: Write) -> None:
    clocks = _pair(redis, schedule("one", DAY), schedule("other", DAY.replace("09", "10")))
    _turn(clocks, range(0, 360, 5))
    redis.config_resetstat()
    _turn(clocks, range(360, 900, 5))
    assert "cmdstat_get" not in redis.info("commandstats")


def _pair(
    redis: Redis, one: Schedule, other: Schedule, conflict_after: float = 300.0
) -> list[Watched]:
    return [
        Watched(redis, each, token=token, conflict_after=conflict_after)
        for each, token in ((one, "a:1:x"), (other, "b:2:x"))
    ]


def _turn(clocks: list[Watched], seconds: range) -> None:
    for second in seconds:
        for clock in clocks:
            clock.turn([second])


def _status(redis: Redis, second: float) -> AppStatus:
    return status(read_snapshot(redis, "test"), START + second)


def _said(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, str]]:
    return [vars(each)["fields"] for each in caplog.records if each.message == message]
