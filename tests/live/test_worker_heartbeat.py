"""Signs of life, and who may judge by them."""

from __future__ import annotations

from typing import Any

from redis import Redis

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import copy_client
from clock.worker.heartbeat import BEAT, Heartbeat
from tests.live.server import Server


class Looks:
    """Counts a worker's looks for abandoned jobs."""

    def __init__(self, redis: Redis, name: str) -> None:
        self.count = 0
        self._redis = redis
        self.heartbeat = Heartbeat(
            copy_client(redis),
            name=name,
            owner=name,
            text="here 1",
            worker_ttl=480,
            children=list,
            on_overtaken=lambda child: None,
            on_unknown=lambda connection: None,
            reap=self._look,
        )

    def beat(self, now: float) -> int:
        """One beat; how often it has looked so far. The lock of an earlier look is over."""
        self._redis.delete(keys.reaper())
        self.heartbeat.beat(now)
        return self.count

    def _look(self) -> None:
        self.count += 1


def test_a_sign_of_life_is_a_key_that_ends_by_itself(redis: Redis) -> None:
    Looks(redis, "mine").beat(0)
    assert redis.get(keys.heartbeat("mine")) == b"here 1"
    assert 0 < redis.ttl(keys.heartbeat("mine")) <= keys.HEARTBEAT_TTL
    assert keys.HEARTBEAT_TTL > 3 * BEAT


def test_a_heartbeat_after_the_registered_death_of_its_worker_revives_nothing(redis: Redis) -> None:
    worker = rq_keys.WORKER + "mine"
    redis.hset(worker, mapping={"birth": "then", "death": "now"})
    redis.expire(worker, 60)
    Looks(redis, "mine").beat(0)
    assert 0 < redis.ttl(worker) <= 60
    assert redis.exists(keys.heartbeat("mine")) == 0


def test_a_worker_judges_only_after_it_heard_of_the_server_for_as_long_as_a_sign_lasts(
    redis: Redis,
) -> None:
    looks = Looks(redis, "mine")
    assert [looks.beat(now) for now in (0, 4, 8, 12)] == [0, 0, 0, 0]
    assert [looks.beat(now) for now in (16, 20)] == [1, 2]


def test_a_server_that_was_away_and_forgot_the_living_makes_nobody_dead(
    redis: Redis, server: Server
) -> None:
    looks = Looks(redis, "mine")
    assert [looks.beat(now) for now in (0, 16)] == [0, 1]
    server.suspend()
    looks.heartbeat.beat(20)
    server.resume()
    assert [looks.beat(now) for now in (24, 28, 36)] == [1, 1, 1]
    assert looks.beat(24 + keys.HEARTBEAT_TTL) == 2


def test_a_server_that_forgot_the_living_between_two_beats_makes_nobody_dead(redis: Redis) -> None:
    looks = Looks(redis, "mine")
    assert [looks.beat(now) for now in (0, 16)] == [0, 1]
    redis.delete(keys.heartbeat("mine"))
    assert [looks.beat(now) for now in (20, 24, 32)] == [1, 1, 1]
    assert looks.beat(20 + keys.HEARTBEAT_TTL) == 2


def test_a_server_that_restarted_between_two_beats_makes_nobody_dead(
    redis: Redis, server: Server
) -> None:
    looks = Looks(redis, "mine")
    assert [looks.beat(now) for now in (0, 16)] == [0, 1]
    server.stop()
    server.start()
    assert redis.exists(keys.heartbeat("mine")), "the server has its data back"
    # Its connections were closed: the first beat may fail, or reconnect without a word.
    looks.heartbeat.beat(20)
    assert [looks.beat(now) for now in (21, 24, 32)] == [1, 1, 1]
    assert looks.beat(21 + keys.HEARTBEAT_TTL) == 2


class WithoutRunId(Redis):
    """A server, or what stands before one, that does not say which process of it answers."""

    def info(self, section: str | None = None, *args: str, **kwargs: Any) -> Any:
        reply = dict(super().info(section, *args, **kwargs))
        del reply["run_id"]
        return reply


def test_a_server_that_names_no_process_is_judged_by_its_keys_alone(
    redis: Redis, server: Server
) -> None:
    looks = Looks(WithoutRunId.from_url(server.url), "mine")
    assert [looks.beat(now) for now in (0, 16)] == [0, 1]
    redis.delete(keys.heartbeat("mine"))
    assert [looks.beat(now) for now in (20, 24)] == [1, 1]


def test_of_several_workers_one_looks_at_a_time(redis: Redis) -> None:
    several = [Looks(redis, f"worker-{number}") for number in range(3)]
    for looks in several:
        looks.beat(0)
    redis.delete(keys.reaper())
    for looks in several:
        looks.heartbeat.beat(keys.HEARTBEAT_TTL)
    assert sum(looks.count for looks in several) == 1
    assert 0 < redis.ttl(keys.reaper()) <= keys.REAP_EVERY
