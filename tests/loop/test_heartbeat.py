"""What a running clock tells the ledger of itself."""

from __future__ import annotations

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as AwayError

from clock.connection.client import connect
from clock.ledger.clocks import read_clocks
from clock.ledger.descriptions import read_descriptions
from clock.ledger.instants import parse_instants
from clock.recurrence.published import Published
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

STREAM = (
    "from clock import times",
    "from datetime import UTC, datetime, timedelta",
    "def ticks():",
    "    at = datetime.fromtimestamp(1_799_999_000, UTC)",
    "    while True:",
    "        yield at",
    "        at += timedelta(seconds=60)",
    "every(times(ticks), 'tasks.x')",
)


def test_the_first_pass_says_who_it_is_and_what_it_runs(redis: Redis, read: ReadSchedule) -> None:
    schedule = read("timezone('Asia/Tokyo')", "every('day', 'tasks.x')")
    Watched(redis, schedule, token="some:host:12:abcd").turn([0])
    (life,) = read_clocks(redis, "test")
    assert (life.host, life.pid, life.file, life.zone, life.events) == (
        "some:host",
        12,
        schedule.path,
        "Asia/Tokyo",
        1,
    )
    assert (life.started, life.last_tick, life.stopped) == (START, START, None)
    assert list(read_descriptions(redis, "test")) == ["tasks.x"]


def test_a_beat_is_one_round_trip_every_few_seconds(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn(range(10))
    redis.config_resetstat()
    clock.turn(range(10, 40))
    calls = {name: each["calls"] for name, each in redis.info("commandstats").items()}
    calls.pop("cmdstat_config|resetstat", None)
    # The pauses and its own life are read with it, so that a loss of either is noticed.
    # Twice a minute it looks at the other clocks.
    assert calls.pop("cmdstat_hgetall") == 6 + 1
    assert calls == {f"cmdstat_{name}": 6 for name in ("hset", "expire", "hget")}


def test_a_pass_that_failed_is_no_beat(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(8))
    redis.rename("clock:test:decided", "elsewhere")
    redis.set("clock:test:decided", "x")
    clock.turn(range(8, 60))
    assert read_clocks(redis, "test")[0].last_tick < START + 10
    redis.rename("elsewhere", "clock:test:decided")
    clock.turn(range(60, 70))
    assert read_clocks(redis, "test")[0].last_tick >= START + 60


def test_a_wall_clock_set_back_does_not_silence_the_clock(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn([0, 5, -3600, -3595])
    assert read_clocks(redis, "test")[0].last_tick == START - 3595


def test_a_server_that_lost_its_data_is_told_everything_again(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = Watched(redis, read(*STREAM, "every('day', 'tasks.y')"))
    clock.turn(range(10))
    redis.flushall()
    clock.turn(range(10, 20))
    assert set(read_descriptions(redis, "test")) == {"tasks.x", "tasks.y"}
    assert set(_instants(redis)) == {"tasks.x"}
    assert len(read_clocks(redis, "test")) == 1


def test_a_clock_that_is_asked_to_stop_says_when(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn(range(3))
    clock.loop._stop.set()
    clock.loop.run()
    assert read_clocks(redis, "test")[0].stopped == START + 2


def test_a_stream_is_published_as_instants_and_renewed_when_half_are_past(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = Watched(redis, read(*STREAM))
    clock.turn(range(3))
    first = _instants(redis)["tasks.x"]
    assert first.next(int(START)) == START + 20
    assert sum(1 for each in first.instants if each > START) == 200
    assert not first.is_all
    clock.turn(range(3, 5000, 600))
    assert _instants(redis)["tasks.x"] == first
    clock.turn(range(6000, 6700, 60))
    assert _instants(redis)["tasks.x"].instants[-1] > first.instants[-1]


def test_a_stream_that_ends_is_published_whole(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "from clock import times",
        "from datetime import UTC, datetime",
        "every(times([datetime.fromtimestamp(1_800_000_005, UTC)]), 'tasks.x')",
    )
    Watched(redis, schedule).turn([0])
    assert _instants(redis) == {"tasks.x": Published(instants=(1_800_000_005,), is_all=True)}


def test_a_stream_that_fails_is_published_as_far_as_it_goes(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "from clock import times",
        "from datetime import UTC, datetime",
        "def broken():",
        "    yield datetime.fromtimestamp(1_800_000_005, UTC)",
        "    raise ValueError('no more')",
        "every(times(broken), 'tasks.x')",
    )
    Watched(redis, schedule).turn([0])
    assert _instants(redis) == {"tasks.x": Published(instants=(1_800_000_005,), is_all=False)}


@pytest.mark.parametrize(
    ("instant", "known"), [(9, False), (10, True), (15, True), (20, True), (21, False)]
)
def test_what_is_published_is_known_from_the_first_instant_to_the_last(
    instant: int, known: bool
) -> None:
    assert Published(instants=(10, 20), is_all=False).knows(instant) is known


def _instants(redis: Redis) -> dict[str, Published]:
    return parse_instants("test", redis.hgetall("clock:test:instants"))


def test_a_user_who_may_not_say_it_claims_all_the_same_and_hears_of_it_once(
    redis: Redis, server_url: str, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    rules = ("on", "nopass", "~clock:test:decided", "~clock:test:recurrences", "~rq:*", "+@all")
    more = (
        "~clock:test:templates",
        "~clock:test:pauses",
        "~clock:test:shapes",
        "~clock:test:ahead",
    )
    redis.execute_command("ACL", "SETUSER", "limited", *rules, *more)  # type: ignore[no-untyped-call]
    try:
        with connect(server_url.replace("//", "//limited:any@")) as limited:
            clock = Watched(limited, read("every('1 second', 'tasks.x')"))
            clock.turn(range(30))
    finally:
        redis.acl_deluser("limited")
    assert redis.llen("rq:queue:default") == 29
    said = [each.message for each in caplog.records if each.levelname == "ERROR"]
    # Once for its life, once for its descriptions, and once for what it counts.
    assert said == ["watch", "watch", "watch"]
    assert read_clocks(redis, "test") == []


def test_what_a_script_may_not_count_is_said_once_and_takes_no_claim_its_time(
    redis: Redis, server_url: str, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    rules = ("on", "nopass", "~*", "+@all", "-hincrbyfloat")
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    try:
        with connect(server_url.replace("//", "//limited:any@")) as limited:
            clock = Watched(limited, read("every('1 second', 'tasks.x')"))
            clock.turn(range(30))
    finally:
        redis.acl_deluser("limited")
    assert redis.llen("rq:queue:default") == 29
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == ["watch"]


def test_garbage_in_its_keys_does_not_end_a_clock(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    redis.hset("clock:test:clocks", mapping={"h:0:x": "garbage", "h:2:x": "[]", "h:3:x": "{}"})
    redis.hset("clock:test:events", mapping={"tasks.x": "garbage", "tasks.y": "1 {}"})
    redis.set("clock:test:instants", "garbage")
    clock = Watched(redis, schedule)
    clock.turn(range(200))
    assert [life.token for life in read_clocks(redis, "test")] == ["h:1:x"]
    assert redis.llen("rq:queue:default") > 10
    assert {each.message for each in caplog.records if each.levelname == "ERROR"} == set()
    assert list(read_descriptions(redis, "test")) == ["tasks.x"]


def test_a_clock_with_nothing_due_notices_that_its_server_is_away(
    redis: Redis,
    read: ReadSchedule,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO", logger="clock")
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn(range(3))

    def away(*_args: object, **_options: object) -> None:
        raise AwayError("away")

    with monkeypatch.context() as patched:
        patched.setattr(redis.connection_pool, "get_connection", away)
        clock.turn(range(3, 30))
    clock.turn(range(30, 40))
    said = [each.message for each in caplog.records if each.message != "server"]
    assert said == ["server away", "server back"]
    assert read_clocks(redis, "test")[0].gaps == ((START, START + 30),)
