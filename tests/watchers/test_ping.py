"""Pings, sent to a receiver on this machine."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import pytest
from redis import Redis

from clock.runs.run import RunOutcome
from clock.watchers.clock_ping import EVERY, ClockPing
from clock.watchers.ping import Ping, Sender, run_id
from clock.watchers.run import LONGEST, Watchers
from tests.conftest import ReadSchedule
from tests.live.port import free_port
from tests.live.waiting import wait_for
from tests.loop.heartbeat import START, Watched
from tests.watchers.receiver import receiver

RUN = run_id("x")


@pytest.mark.parametrize(
    ("url", "word", "expected"),
    [
        ("https://hc.example/abc", "", f"https://hc.example/abc?rid={RUN}"),
        ("https://hc.example/abc/", "start", f"https://hc.example/abc/start?rid={RUN}"),
        ("https://hc.example/k/slug?create=1", "fail",
         f"https://hc.example/k/slug/fail?create=1&rid={RUN}"),
    ],
)  # fmt: skip
def test_the_address_says_what_and_of_which_run(url: str, word: str, expected: str) -> None:
    assert Ping(url=url, signal=word, run=RUN).address == expected


def test_pings_arrive_in_their_order() -> None:
    with receiver() as found:
        sender = Sender()
        for word in ("start", "fail", ""):
            assert sender.send(Ping(url=found.url, signal=word, run=RUN, text="why"))
        assert sender.finish(5)
        assert found.paths() == ["/key-123/start", "/key-123/fail", "/key-123"]
        assert {(each.run, each.body) for each in found.heard} == {(str(RUN), b"why")}


def test_a_receiver_that_hangs_holds_nobody_up_and_what_is_too_much_is_dropped() -> None:
    with receiver(hangs=True) as found:
        sender = Sender(timeout=0.2, waiting=3)
        begin = time.monotonic()
        sent = [sender.send(Ping(url=found.url, signal="", run=RUN)) for _ in range(50)]
        assert time.monotonic() - begin < 0.1
        assert 3 <= sum(sent) <= 4
        assert not sent[-1]
    wait_for("what waited is given up", lambda: sender.finish(0.1))


@pytest.mark.parametrize("status", [404, 500])
def test_a_receiver_that_refuses_is_told_of_once_and_its_address_never(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(status=status) as found, caplog.at_level(logging.DEBUG):
        sender = Sender()
        for _ in range(3):
            sender.send(Ping(url=found.url, signal="", run=RUN))
        assert sender.finish(5)
    assert [record.message for record in caplog.records] == ["ping failed"]
    assert "key-123" not in str(caplog.records[0].__dict__)


def test_a_receiver_that_is_not_there_is_no_error() -> None:
    sender = Sender()
    sender.send(Ping(url=f"http://127.0.0.1:{free_port()}/x", signal="", run=RUN))
    assert sender.finish(5)


def test_a_clock_pings_once_a_minute_and_at_once_when_something_is_overdue() -> None:
    with receiver() as found:
        sender = Sender()
        ping = ClockPing(found.url, "h:1:x", sender)
        for now, is_overdue in [(0, 0), (1, 0), (59, 0), (60, 0), (70, 1), (75, 1), (80, 0)]:
            ping.ping(START + now, is_well=not is_overdue)
        # The wall clock was set back.
        ping.ping(START - 1000, is_well=True)
        assert sender.finish(5)
        assert [path.removeprefix("/key-123") for path in found.paths()] == [
            "", "", "/fail", "", "",
        ]  # fmt: skip
        assert {each.run for each in found.heard} == {str(run_id("h:1:x"))}
        assert EVERY == 60


def test_the_clock_tells_that_it_is_alive_and_enqueues_nothing(
    redis: Redis, read: ReadSchedule
) -> None:
    with receiver() as found:
        sender = Sender()
        ping = ClockPing(found.url, "h:1:x", sender)
        schedule = read("every('10 seconds', 'tasks.x')")
        Watched(redis, schedule, is_idle=True, ping=ping).turn(range(0, 200, 4))
        assert sender.finish(5)
        assert found.paths()[0] == "/key-123"
        assert found.paths()[-1] == "/key-123/fail"


def test_while_the_server_is_away_a_clock_does_not_ping(read: ReadSchedule) -> None:
    with receiver() as found, Redis(port=free_port()) as nobody:
        sender = Sender()
        schedule = read("every('10 seconds', 'tasks.x')")
        Watched(nobody, schedule, ping=ClockPing(found.url, "h:1:x", sender)).turn([0, 1])
        assert sender.finish(5)
        assert found.paths() == []


def test_a_tick_does_not_wait_for_a_receiver_that_hangs(redis: Redis, read: ReadSchedule) -> None:
    with receiver(hangs=True) as found:
        sender = Sender()
        ping = ClockPing(found.url, "h:1:x", sender)
        watched = Watched(redis, read("every('10 seconds', 'tasks.x')"), ping=ping)
        longest = 0.0
        for second in range(0, 3000, 10):
            begin = time.monotonic()
            watched.turn([second])
            longest = max(longest, time.monotonic() - begin)
        assert longest < 1
    wait_for("what waited is given up", lambda: sender.finish(0.1), within=60)


@pytest.mark.parametrize(
    ("outcome", "paths"),
    [
        (RunOutcome.SUCCEEDED, ["/key-123/start", "/key-123"]),
        (RunOutcome.SKIPPED, ["/key-123/start", "/key-123"]),
        (RunOutcome.FAILED, ["/key-123/start", "/key-123/fail"]),
        (RunOutcome.STOPPED, ["/key-123/start", "/key-123/fail"]),
        (RunOutcome.RETRIED, ["/key-123/start"]),
    ],
)
def test_a_run_is_told_of_as_it_ended(outcome: RunOutcome, paths: list[str]) -> None:
    with receiver() as found:
        run = Watchers(pings={"e": found.url}, monitors={}).begin("e", "job-1", 2)
        assert run is not None
        run.end(outcome, "ValueError" if outcome is RunOutcome.FAILED else None)
        assert found.paths() == paths
        (identifier,) = {each.run for each in found.heard}
        assert identifier is not None
        assert UUID(identifier) == run_id("job-1:2")
        if outcome is RunOutcome.FAILED:
            assert found.heard[-1].body == b"failed job=job-1 error=ValueError"


def test_an_event_that_nobody_watches_starts_nothing() -> None:
    assert Watchers(pings={"e": "http://x"}, monitors={}).begin("other", "job", 1) is None


def test_a_receiver_that_never_comes_to_an_end_holds_a_worker_up_no_longer_than_is_stated() -> None:
    with _dripping() as url:
        begin = time.monotonic()
        run = Watchers(pings={"e": url}, monitors={}).begin("e", "job-1", 1)
        assert time.monotonic() - begin < 0.2
        assert run is not None
        run.end(RunOutcome.SUCCEEDED, None)
        assert LONGEST - 0.5 < time.monotonic() - begin < LONGEST + 1
    wait_for("what waited is given up", lambda: run.sender.finish(0.1))


@contextmanager
def _dripping() -> Iterator[str]:
    """A receiver that answers one byte after another: no single one of them is late."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not over.wait(0.2):
                connection.sendall(b"H")

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
