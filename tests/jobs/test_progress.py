"""Progress: what a task says of itself, written seldom, and the last of it always."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from redis import Redis
from rq import get_current_job
from rq.job import Job

from clock.jobs import Handle, enqueue, progress, track
from clock.jobs.progress import flush
from tests.jobs.working import running_here, work_off
from tests.live.waiting import wait_for

TELL = "tests.jobs.working.tell"


@pytest.fixture
def handle(redis: Redis) -> Iterator[Handle]:
    """A job that runs in this process, as long as the test does."""
    handle = enqueue("tests.jobs.working.say", connection=redis)
    with running_here(Job.fetch(handle.id, connection=redis)):
        yield handle


def _said(handle: Handle) -> tuple[float, float | None, str] | None:
    current = handle.progress()
    return None if current is None else (current.done, current.total, current.message)


def _writes(redis: Redis) -> int:
    return int(redis.info("commandstats").get("cmdstat_hset", {"calls": 0})["calls"])


def test_outside_of_a_job_nothing_happens(redis: Redis) -> None:
    progress(1, 2)
    assert list(track([1, 2])) == [1, 2]
    flush()
    assert redis.dbsize() == 0


def test_the_first_report_is_read_at_once(handle: Handle) -> None:
    before = time.time()
    progress(3, 10, "fetching")
    current = handle.progress()
    assert current is not None
    assert (current.done, current.total, current.message) == (3, 10, "fetching")
    assert current.fraction == 0.3
    assert before <= current.at.timestamp() <= time.time()
    assert current.at.utcoffset() is not None


def test_an_unknown_total_is_none(handle: Handle) -> None:
    progress(3)
    assert _said(handle) == (3, None, "")
    current = handle.progress()
    assert current is not None
    assert current.fraction is None


def test_a_thousand_calls_are_written_once_and_then_the_latest(
    handle: Handle, redis: Redis
) -> None:
    redis.config_resetstat()
    for done in range(1000):
        progress(done, 5000)
    assert _said(handle) == (0, 5000, "")
    assert _writes(redis) == 1
    wait_for("the last is written", lambda: _said(handle) == (999, 5000, ""), within=2)
    assert _writes(redis) == 2


def test_that_all_is_done_is_written_at_once_and_once(handle: Handle, redis: Redis) -> None:
    progress(1, 10)
    redis.config_resetstat()
    for _ in range(100):
        progress(10, 10)
    assert _said(handle) == (10, 10, "")
    assert _writes(redis) == 1
    flush()


def test_what_is_not_written_yet_is_at_the_end(handle: Handle) -> None:
    progress(1, 10)
    progress(2, 10)
    flush()
    assert _said(handle) == (2, 10, "")


@pytest.mark.parametrize(("timeout", "kept"), [(60, 3660), (-1, 3600 + 86_400)])
def test_it_is_kept_as_long_as_its_job_may_run_and_an_hour(
    timeout: int, kept: int, redis: Redis
) -> None:
    handle = enqueue(TELL, args=[[1, 2]], timeout=timeout, connection=redis)
    work_off(redis)
    assert kept - 5 < redis.ttl(f"clock:progress:{handle.id}") <= kept


@pytest.mark.parametrize("call", [(-1,), (1, -2), (math.nan,), (math.inf,), (1, math.inf)])
def test_an_invalid_number_is_refused(call: tuple[Any, ...], handle: Handle) -> None:
    with pytest.raises(ValueError, match="must be a finite number and not negative"):
        progress(*call)


def test_other_kinds_of_numbers_are_numbers(handle: Handle) -> None:
    progress(Decimal("0.5"), Decimal(3))  # type: ignore[arg-type]
    assert _said(handle) == (0.5, 3, "")


def test_a_long_message_is_cut(handle: Handle) -> None:
    progress(1, 2, "x" * 10_000)
    assert _said(handle) == (1, 2, "x" * 500)


def test_nothing_to_do_is_all_done(handle: Handle) -> None:
    progress(0, 0)
    current = handle.progress()
    assert current is not None
    assert current.fraction is None


def test_tracking_counts_what_the_loop_is_through_with(redis: Redis) -> None:
    handle = enqueue("tests.jobs.working.count", args=[[1, 2, 3]], connection=redis)
    work_off(redis)
    assert handle.result(0) == 6
    assert _said(handle) == (3, 3, "counting")


def test_tracking_what_has_no_length_takes_a_total(handle: Handle) -> None:
    assert list(track(iter([1, 2]), total=2)) == [1, 2]
    assert _said(handle) == (2, 2, "")
    assert list(track(iter([1, 2, 3]))) == [1, 2, 3]
    assert _said(handle) == (3, None, "")


def test_a_loop_that_breaks_off_has_written_how_far_it_came(handle: Handle) -> None:
    loop = track([1, 2, 3, 4])
    for item in loop:
        if item == 3:
            break
    loop.close()
    assert _said(handle) == (2, 4, "")


def test_a_loop_that_raises_has_written_how_far_it_came(redis: Redis) -> None:
    handle = enqueue("tests.jobs.working.count", args=[[1, 2, "x"]], connection=redis)
    work_off(redis)
    assert _said(handle) == (2, 3, "counting")


def test_the_next_job_of_a_process_begins_anew(redis: Redis) -> None:
    first = enqueue(TELL, args=[[1, 10], [2, 10]], connection=redis)
    second = enqueue(TELL, args=[[5, 10]], connection=redis)
    work_off(redis)
    assert _said(second) == (5, 10, "")
    wait_for("the first one's last is written", lambda: _said(first) == (2, 10, ""), within=2)


def test_a_server_that_refuses_fails_no_job_and_is_not_asked_again_at_once(
    handle: Handle, redis: Redis
) -> None:
    redis.config_set("maxmemory", 1)
    try:
        progress(1, 10)
        redis.config_resetstat()
        for done in range(2, 9):
            progress(done, 10)
        assert _writes(redis) == 0
    finally:
        redis.config_set("maxmemory", 0)
    assert get_current_job() is not None
    flush()
    assert _said(handle) == (8, 10, "")
