"""A scrape over HTTP while the clock is alive, killed and back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from clock.web.access import Access
from clock.web.application import application
from tests.live.conftest import StartClock, WriteSchedule
from tests.live.port import free_port
from tests.live.waiting import wait_for

Samples = dict[str, float]


@pytest.mark.long
def test_metrics_stay_right_while_the_clock_is_alive_killed_and_back(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule("every('1 second', 'tasks.x', name='second')")
    with _web(redis) as address:
        assert _scrape(address)["clock_up"] == 0
        clock = start_clock(file)
        wait_for("it enqueues", lambda: _enqueued(address) >= 2)
        alive = _scrape(address)
        assert (alive["clock_up"], alive["clock_healthy"]) == (1, 1)

        clock.kill()
        wait_for("it counts as dead", lambda: not _scrape(address)["clock_up"], within=40)
        dead = _scrape(address)
        assert dead["clock_server_up"] == 1
        assert dead["clock_event_enqueued_total"] >= alive["clock_event_enqueued_total"]
        tick = dead["clock_last_tick_timestamp_seconds"]
        assert _scrape(address)["clock_last_tick_timestamp_seconds"] == tick

        start_clock(file)
        wait_for("it is back", lambda: _scrape(address)["clock_up"])
        before = dead["clock_event_enqueued_total"]
        wait_for("it enqueues again", lambda: _enqueued(address) > before)
        back = _scrape(address)
        assert back["clock_last_tick_timestamp_seconds"] > tick
        assert back["clock_event_missed_total"] > 0


def _enqueued(address: str) -> float:
    return _scrape(address).get("clock_event_enqueued_total", 0.0)


def _scrape(address: str) -> Samples:
    text = httpx.get(f"{address}/metrics", timeout=10).raise_for_status().text
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels and "reason" not in sample.labels
    }


@contextmanager
def _web(redis: Redis) -> Iterator[str]:
    """The web side on a port of its own, open to all who are on this machine."""
    access = Access(password=None, token=None, actions=False, arguments=False, secret=b"x")
    port = free_port()
    config = uvicorn.Config(application(redis, access=access), port=port, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for("the web side listens", lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
