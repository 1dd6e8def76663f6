"""What a clock does when its server loses data while it runs."""

from __future__ import annotations

import json

import pytest
from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection.client import connect
from clock.errors import UnknownEventError
from clock.ledger.pauses import Pause, pause, read_pauses, resume
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

PAUSED = Pause(until=None, reason="stock taking", by="ann", since=int(START))
TWO = ("every('10 seconds', 'tasks.x')", "every('10 seconds', 'tasks.y')")


def test_a_paused_event_stays_paused_when_the_server_loses_everything(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read(*TWO))
    clock.turn(range(3))
    pause(redis, "test", "tasks.x", PAUSED)
    clock.turn(range(3, 9))
    redis.flushall()
    # The next thing that happens is a claim, at second 10.
    clock.turn([10, 20])
    assert _fired(redis) == {"tasks.y"}
    assert read_pauses(redis, "test") == {"tasks.x": PAUSED}
    assert redis.ttl(keys.pauses("test")) > 0
    (line,) = _losses(caplog)
    assert line["pauses_written_back"] == "tasks.x"
    assert line["records_lost"] == "2 of 2"
    assert "it lost its data" in line["reason"]


def test_a_loss_that_no_claim_meets_is_found_by_the_next_beat_and_said_once(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn(range(3))
    pause(redis, "test", "tasks.x", PAUSED)
    clock.turn(range(3, 9))
    redis.flushall()
    clock.turn(range(9, 30))
    assert read_pauses(redis, "test") == {"tasks.x": PAUSED}
    assert len(_losses(caplog)) == 1


def test_a_second_loss_is_said_and_made_up_for_too(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read(*TWO))
    clock.turn(range(3))
    pause(redis, "test", "tasks.x", PAUSED)
    clock.turn(range(3, 9))
    for second in (10, 20, 30):
        redis.flushall()
        clock.turn(range(second, second + 9))
    assert _fired(redis) == {"tasks.y"}
    assert len(_losses(caplog)) == 3


def test_a_resume_after_the_loss_wins_over_a_clock_that_notices_later(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    first, second = (Watched(redis, schedule, token=f"h:{n}:x") for n in (1, 2))
    for clock in (first, second):
        clock.turn([0])
    pause(redis, "test", "tasks.x", PAUSED)
    for clock in (first, second):
        clock.turn(range(1, 9))
    redis.flushall()
    with pytest.raises(UnknownEventError):
        resume(redis, "test", "tasks.x", START + 9)
    first.turn([10])
    assert resume(redis, "test", "tasks.x", START + 11) == PAUSED
    second.turn(range(12, 18))
    first.turn(range(12, 18))
    assert read_pauses(redis, "test") == {}


def test_a_pause_that_was_made_after_the_loss_is_not_overwritten(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read("every('10 seconds', 'tasks.x')")
    first, second = (Watched(redis, schedule, token=f"h:{n}:x") for n in (1, 2))
    for clock in (first, second):
        clock.turn([0])
    pause(redis, "test", "tasks.x", PAUSED)
    for clock in (first, second):
        clock.turn(range(1, 9))
    redis.flushall()
    first.turn([10])
    newer = Pause(until=int(START) + 900, reason="until noon", by="bob", since=int(START) + 11)
    pause(redis, "test", "tasks.x", newer)
    second.turn(range(12, 18))
    assert read_pauses(redis, "test") == {"tasks.x": newer}


def test_a_pause_that_is_over_is_not_written_back(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(3))
    short = Pause(until=int(START) + 15, reason="", by="ann", since=int(START))
    pause(redis, "test", "tasks.x", short)
    clock.turn(range(3, 17))
    redis.flushall()
    clock.turn([20])
    assert read_pauses(redis, "test") == {}
    assert _fired(redis) == {"tasks.x"}


def test_a_pause_that_was_ended_before_the_last_beat_is_not_written_back(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(3))
    pause(redis, "test", "tasks.x", PAUSED)
    clock.turn(range(3, 9))
    resume(redis, "test", "tasks.x", START + 11)
    clock.turn(range(12, 18))
    redis.flushall()
    clock.turn([20])
    assert read_pauses(redis, "test") == {}


def test_a_server_that_goes_back_to_older_data_gets_the_newer_pauses(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read(*TWO))
    clock.turn(range(3))
    pause(redis, "test", "tasks.y", PAUSED)
    clock.turn(range(3, 6))
    snapshot = {key: redis.dump(key) for key in redis.keys("clock:*")}
    resume(redis, "test", "tasks.y", START + 7)
    pause(redis, "test", "tasks.x", PAUSED)
    clock.turn(range(6, 20))
    redis.flushall()
    for key, value in snapshot.items():
        redis.restore(key, 0, value or b"")
    clock.turn(range(20, 26))
    assert set(read_pauses(redis, "test")) == {"tasks.x", "tasks.y"}
    (line,) = _losses(caplog)
    assert "it went back to its data of 2027-01-15T08:00:05Z and lost 10 s" in line["reason"]
    assert (line["pauses_written_back"], line["paused_again"]) == ("tasks.x", "tasks.y")


def test_a_clock_whose_life_was_noted_without_a_reply_thinks_nothing_lost(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('day', 'tasks.x')"))
    clock.turn(range(3))
    # What a beat leaves whose reply got lost.
    life = json.loads(redis.hget("clock:test:clocks", "h:1:x") or "")
    redis.hset("clock:test:clocks", "h:1:x", json.dumps(life | {"beats": life["beats"] + 1}))
    clock.turn(range(3, 30))
    assert _losses(caplog) == []


def test_an_event_whose_record_alone_is_gone_is_no_loss_of_the_server(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(3))
    redis.hdel(keys.decided("test"), "tasks.x")
    clock.turn(range(3, 12))
    assert _fired(redis) == {"tasks.x"}
    assert _losses(caplog) == []


def test_a_pause_that_cannot_be_read_does_not_keep_the_others_from_being_written_back(
    redis: Redis, read: ReadSchedule, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Watched(redis, read(*TWO))
    clock.turn(range(3))
    pause(redis, "test", "tasks.x", PAUSED)
    odd = '- {"reason": "", "by": "", "since": "x"}'
    redis.hset(keys.pauses("test"), mapping={"tasks.v": "garbage", "tasks.w": odd})
    clock.turn(range(3, 9))
    redis.flushall()
    redis.lpush(keys.ended_pauses("test"), "garbage", "[]", '{"event": [], "since": 1}')
    clock.turn([10])
    assert read_pauses(redis, "test") == {"tasks.x": PAUSED}
    assert len(_losses(caplog)) == 1


def _fired(redis: Redis) -> set[str]:
    ids = (as_text(key).removeprefix("rq:job:") for key in redis.keys("rq:job:*"))
    return {each.rsplit("-", 2)[0].replace("-", ".") for each in ids}


def _losses(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    return [vars(each)["fields"] for each in caplog.records if each.message == "server lost data"]


@pytest.mark.parametrize("withheld", ["-lrange", "-watch", "-multi", "-hkeys", "-hgetall"])
def test_a_user_who_may_not_do_all_of_it_still_enqueues(
    redis: Redis, server_url: str, read: ReadSchedule, withheld: str
) -> None:
    rules = ("on", "nopass", "~*", "+@all", withheld)
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    try:
        with connect(server_url.replace("//", "//limited:any@")) as limited:
            clock = Watched(limited, read(*TWO))
            clock.turn(range(3))
            pause(redis, "test", "tasks.x", PAUSED)
            clock.turn(range(3, 9))
            redis.flushall()
            clock.turn(range(10, 40))
    finally:
        redis.acl_deluser("limited")
    assert "tasks.y" in _fired(redis)
