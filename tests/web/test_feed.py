"""The feed: who reads when, and who is dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from clock.connection.client import connect
from clock.errors import ServerError
from clock.ledger.pauses import Pause, pause
from clock.observe.changes import Reading, read_all
from clock.web import feed
from clock.web.feed import Feed, Listener
from clock.web.message_ring import MessageRing
from tests.live.port import free_port
from tests.live.waiting import wait_for
from tests.loop.heartbeat import START, Watched


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "READ_EVERY", 0.02)
    monkeypatch.setattr(feed, "SHARE", 1)


class Reader:
    """Reads the application ``test``, and counts how often."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.count = 0
        self.error: Exception | None = None

    def __call__(self) -> Reading:
        self.count += 1
        if self.error is not None:
            raise self.error
        return read_all(self.redis, "test", START + 30, tolerance=60)

    def change(self) -> None:
        """Make a difference to the event ``ten``."""
        paused = Pause(until=None, reason=f"{self.count}", by="me", since=int(START))
        pause(self.redis, "test", "ten", paused)


@pytest.fixture
def reader(redis: Redis, clock: Watched) -> Reader:
    return Reader(redis)


def listen(to: Feed, *kinds: str, wake: Callable[[], None] = lambda: None) -> Listener:
    listener = to.join(kinds or ("event",), wake)
    to.begin(listener)
    return listener


def test_all_listeners_share_the_readings(reader: Reader) -> None:
    one_feed = Feed(reader)
    woken = [threading.Event() for _ in range(50)]
    listeners = [listen(one_feed, wake=event.set) for event in woken]
    before = reader.count
    wait_for("three more readings", lambda: reader.count >= before + 3)
    assert threading.active_count() - len(woken) < len(woken)
    reader.change()
    assert all(event.wait(10) for event in woken)
    assert len({one_feed.take(listener) for listener in listeners}) == 1
    one_feed.close()


def test_nothing_is_read_while_nobody_listens(reader: Reader) -> None:
    one_feed = Feed(reader)
    assert reader.count == 0
    listener = listen(one_feed)
    one_feed.leave(listener)
    wait_for("nobody reads", lambda: "clock feed" not in {t.name for t in threading.enumerate()})
    before = reader.count
    listen(one_feed)
    assert reader.count == before + 1
    one_feed.close()


def test_a_listener_that_is_too_slow_is_dropped_and_others_are_not(reader: Reader) -> None:
    one_feed = Feed(reader)
    one_feed._ring = MessageRing(20_000)
    slow, quick = listen(one_feed), listen(one_feed)

    def is_behind() -> bool:
        reader.change()
        assert one_feed.take(quick) is not None
        return not one_feed._ring.has_all_after(slow.at)

    wait_for("messages are gone", is_behind)
    assert one_feed.take(slow) is None
    assert one_feed.take(quick) is not None
    one_feed.close()
    assert one_feed.take(quick) is None


def test_a_server_that_is_away_ends_the_streams_and_nothing_is_lost(reader: Reader) -> None:
    one_feed = Feed(reader)
    woken = threading.Event()
    listener = listen(one_feed, wake=woken.set)
    last = listener.opening.split(b"id: ")[1].split()[0].decode()
    reader.error = ServerError("away")
    assert woken.wait(10)
    assert one_feed.take(listener) is None
    with pytest.raises(ServerError):
        listen(one_feed)
    reader.error = None
    reader.change()
    again = one_feed.join(["event"], woken.set)
    one_feed.begin(again, last)
    assert b'"event": "ten"' in (one_feed.take(again) or b"")
    one_feed.close()


def test_who_waited_while_a_reading_failed_does_not_wait_for_another() -> None:
    """A server that accepts connections and never answers."""
    begun, go_on = threading.Event(), threading.Event()
    count = 0

    def read() -> Reading:
        nonlocal count
        count += 1
        begun.set()
        go_on.wait(10)
        with connect(f"redis://127.0.0.1:{free_port()}/0") as redis:
            return read_all(redis, "test", START, tolerance=60)

    one_feed = Feed(read)

    def fails() -> bool:
        with pytest.raises(ServerError):
            listen(one_feed)
        return True

    with ThreadPoolExecutor(8) as threads:
        results = [threads.submit(fails) for _ in range(8)]
        assert begun.wait(10)
        wait_for("all have joined", lambda: len(one_feed._listeners) == 8)
        go_on.set()
        assert all(result.result() for result in results)
    assert count == 1


def test_its_last_reading_is_recent_until_it_is_old_or_something_was_changed(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "READ_EVERY", 5.0)
    one_feed = Feed(reader)
    assert one_feed.recent() is None
    listener = listen(one_feed)
    reading = one_feed.recent()
    assert reading is not None
    assert reading.status.app == "test"
    one_feed.outdate()
    assert one_feed.recent() is None
    one_feed.close()
    assert one_feed.take(listener) is None
    old = Feed(reader)
    listen(old)
    monkeypatch.setattr(feed, "READ_EVERY", 0.0)
    assert old.recent() is None
    old.close()
