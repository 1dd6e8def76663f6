"""Jobs of RQ as a reader sees them."""

from __future__ import annotations

from redis import Redis
from rq import Queue

from clock.observe.error_text import read_error
from clock.observe.rq.jobs import LONGEST_ERROR, read_errors
from tests.jobs.working import work_off


def fail_at_length(length: int) -> None:
    """A task whose error has a message of ``length`` characters, and one more line."""
    raise ValueError(f"{'x' * length}\nthe last line")


def test_of_a_long_error_the_end_is_kept(redis: Redis) -> None:
    job = Queue("default", connection=redis).enqueue(fail_at_length, 3 * LONGEST_ERROR)
    work_off(redis, "default")

    (error,) = read_errors(redis, [job.id])

    assert error is not None
    assert len(error) < LONGEST_ERROR + 100
    assert error.endswith("\nthe last line\n")
    assert "bytes left out]" in error
    assert read_error(error).last.own[0].function == "fail_at_length"
