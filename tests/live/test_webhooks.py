"""Webhooks, sent by real clocks about runs of real workers."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from pathlib import Path

import pytest
from redis import Redis

from clock import keys
from tests.live.conftest import StartClock, StartWorker, WriteSchedule
from tests.live.waiting import wait_for
from tests.live.worker_tasks import EVENT, enqueue_occurrence
from tests.watchers.receiver import receiver

SCHEDULE = f"every('day', 'work.fail', name={EVENT!r}, at='00:00')"
KEY = bytes(32)
SECRET = f"whsec_{b64encode(KEY).decode()}"


def test_a_run_that_fails_is_told_with_the_last_line_of_its_error(
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_worker: StartWorker,
) -> None:
    with receiver() as service:
        environ = {"CLOCK_WEBHOOK_URL": service.url, "CLOCK_WEBHOOK_SECRET": SECRET}
        clock = start_clock(write_schedule(SCHEDULE), **environ)
        enqueue_occurrence(redis, "fail")
        start_worker("--burst").process.wait(timeout=30)
        clock.wait_for_line("webhook sent")
        (request,) = service.heard
        (notice,) = json.loads(request.body)["data"]["notices"]
        assert (notice["type"], notice["event"]) == ("failing", EVENT)
        assert notice["line"].startswith("ValueError: ")
        signed = "{webhook-id}.{webhook-timestamp}.".format_map(request.headers).encode()
        digest = hmac.new(KEY, signed + request.body, hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
        assert clock.stop() == 0
        assert "key-123" not in clock.log()
        assert SECRET not in clock.log()


@pytest.mark.long
def test_a_message_that_a_killed_clock_was_sending_is_sent_by_the_other_clock_once(
    redis: Redis,
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_worker: StartWorker,
) -> None:
    with receiver(hangs=True) as service:
        file = write_schedule(SCHEDULE)
        clocks = [start_clock(file, CLOCK_WEBHOOK_URL=service.url) for _ in range(2)]
        enqueue_occurrence(redis, "fail")
        start_worker("--burst").process.wait(timeout=30)
        wait_for("a clock sends it", lambda: service.heard)
        (key,) = redis.keys(keys.deliveries("clock", "*"))
        token = str(redis.hget(key, "lease"))
        (sender,) = (clock for clock in clocks if f":{clock.process.pid}:" in token)
        (other,) = (clock for clock in clocks if clock is not sender)
        sender.kill()
        service.hangs = False
        other.wait_for_line("webhook sent", within=40)
        first, second = service.heard
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        wait_for("it is recorded", lambda: redis.hexists(key, f"failing:{EVENT}"))
        assert redis.hget(key, "messages") == b"1"


def test_a_clock_whose_webhook_hangs_ticks_and_stops_normally(
    redis: Redis, write_schedule: WriteSchedule, start_clock: StartClock, work_folder: Path
) -> None:
    with receiver(hangs=True) as service:
        schedule = "every('1 second', 'work.ok', name='tick', if_=lambda _: 1 / 0)"
        file = write_schedule(schedule, "every('1 second', 'work.ok', name='second')")
        clock = start_clock(file, CLOCK_WEBHOOK_URL=service.url)
        wait_for("the webhook hears of it", lambda: service.heard)
        before = len(clock.enqueued())
        wait_for("it goes on", lambda: len(clock.enqueued()) >= before + 3)
        assert all(line["lateness"] < 0.9 for line in clock.lines("enqueued")[1:])
        assert clock.stop() == 0


@pytest.mark.long
def test_a_loop_that_hangs_is_reported_as_overdue(
    write_schedule: WriteSchedule, start_clock: StartClock
) -> None:
    file = write_schedule(
        "import time",
        "from clock.loop.loop import Loop",
        "tick, end = Loop.tick, time.monotonic() + 4",
        "Loop.tick = lambda self: tick(self) if time.monotonic() < end else time.sleep(600)",
        "every('1 second', 'work.ok', name='second')",
    )
    with receiver() as service:
        clock = start_clock(file, CLOCK_WEBHOOK_URL=service.url, CLOCK_OVERDUE_AFTER="1")
        clock.wait_for_line("enqueued")
        clock.wait_for_line("webhook sent", within=40)
        (request,) = service.heard
        (notice,) = json.loads(request.body)["data"]["notices"]
        assert (notice["type"], notice["event"]) == ("overdue", "second")
        assert notice["line"].startswith("should have fired at ")
