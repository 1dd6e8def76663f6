"""The output of runs: how much of it is kept, and what is read of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import Redis

from clock import keys
from clock.runs.output import OVERHEAD, RunOutput, read_jobs_with_output, read_outputs, write_output
from clock.runs.plain_text import plain_text
from clock.runs.run import RunOutcome

ROOM = 64 * 2**20

START = 1_800_000_000.0

GOOD = RunOutput(
    job="job-0",
    attempt=1,
    event="nightly",
    outcome=RunOutcome.SUCCEEDED,
    ended=START,
    text="one\ntwo ü\n",
    written=11,
)
BAD = replace(GOOD, outcome=RunOutcome.FAILED)


def test_an_output_is_read_as_it_was_written(redis: Redis) -> None:
    again = replace(BAD, attempt=2, event=None, written=1_000_000)
    for output in (again, GOOD):
        write_output(redis, "app", output, ROOM)
    assert read_outputs(redis, "app", GOOD.job) == [GOOD, again]
    assert (GOOD.is_cut, again.is_cut) == (False, True)
    assert read_outputs(redis, "other", GOOD.job) == []


@pytest.mark.parametrize(
    ("output", "kept"), [(GOOD, keys.OUTPUTS_KEPT), (BAD, keys.BAD_OUTPUTS)], ids=["good", "bad"]
)
def test_an_event_keeps_its_latest_outputs(redis: Redis, output: RunOutput, kept: int) -> None:
    for number in range(kept + 3):
        write_output(redis, "app", _numbered(output, number), ROOM)
    expected = {f"job-{number}" for number in range(3, kept + 3)}
    assert _kept(redis) == expected
    assert read_jobs_with_output(redis, "app", "nightly") == expected
    assert redis.hget(keys.output_sizes("app"), "bytes") == _sum(redis)


def test_good_runs_do_not_push_out_the_failed_ones_nor_those_of_other_events(
    redis: Redis,
) -> None:
    write_output(redis, "app", replace(BAD, job="bad"), ROOM)
    write_output(redis, "app", replace(GOOD, job="other", event="other"), ROOM)
    write_output(redis, "app", replace(BAD, job="none", event=None), ROOM)
    for number in range(keys.OUTPUTS_KEPT + 1):
        write_output(redis, "app", _numbered(GOOD, number), ROOM)
    assert {"bad", "other", "none", "job-1"} <= _kept(redis)
    assert "job-0" not in _kept(redis)


def test_all_outputs_of_an_application_fit_in_its_memory_and_the_oldest_go(redis: Redis) -> None:
    size = 10_000 + OVERHEAD + 100
    for number in range(10):
        output = replace(_numbered(BAD, number), text="x" * 10_000, event=f"event {number}")
        write_output(redis, "app", output, 5 * size)
    assert _kept(redis) == {f"job-{number}" for number in range(5, 10)}
    assert int(redis.hget(keys.output_sizes("app"), "bytes") or 0) <= 5 * size
    assert redis.hget(keys.output_sizes("app"), "bytes") == _sum(redis)
    write_output(redis, "app", replace(GOOD, job="large", text="x" * 10 * size), 5 * size)
    assert "large" not in _kept(redis)


def test_many_small_outputs_take_no_more_of_the_server_than_they_may(redis: Redis) -> None:
    room, before = 2 * 2**20, redis.info("memory")["used_memory"]
    with redis.pipeline() as pipeline:
        for number in range(6_000):
            output = replace(
                _numbered(GOOD, number),
                event=f"event {number // 15}",
                job=f"a-long-job-id-{number}",
            )
            write_output(pipeline, "app", replace(output, text="a line\n"), room)
        pipeline.execute()
    assert 3_000 < redis.zcard(keys.outputs("app")) < 6_000
    taken = redis.info("memory")["used_memory"] - before
    assert 0.5 * room < taken < room


def test_what_is_older_than_its_time_goes(redis: Redis) -> None:
    write_output(redis, "app", GOOD, ROOM)
    later = START + keys.OUTPUT_TTL
    write_output(redis, "app", replace(BAD, job="late", ended=later), ROOM)
    assert redis.zrange(keys.outputs("app"), 0, -1) == [b"1:late"]
    assert _kept(redis) == {"late"}
    for key in redis.keys("clock:app:*"):
        assert 0 < redis.ttl(key) <= keys.OUTPUT_TTL


def test_a_job_that_runs_again_under_its_attempt_has_one_output(redis: Redis) -> None:
    for outcome in (RunOutcome.FAILED, RunOutcome.FAILED, RunOutcome.SUCCEEDED):
        write_output(redis, "app", replace(GOOD, outcome=outcome, ended=START + 1), ROOM)
    (output,) = read_outputs(redis, "app", GOOD.job)
    assert output.outcome is RunOutcome.SUCCEEDED
    assert redis.hget(keys.output_sizes("app"), "bytes") == _sum(redis)


@pytest.mark.parametrize("damaged", ["output", "outputs", "output_sizes", "last_output"])
def test_a_damaged_key_keeps_no_job_from_its_end(redis: Redis, damaged: str) -> None:
    make = getattr(keys, damaged)
    of = {"output": [GOOD.job], "last_output": ["nightly"]}.get(damaged, [])
    redis.set(make("app", *of), "x")
    with redis.pipeline() as pipeline:
        write_output(pipeline, "app", GOOD, ROOM)
        pipeline.set("after", 1)
        replies = pipeline.execute()
    assert "WRONGTYPE" in replies[0].decode()
    assert redis.get("after") == b"1"


def test_a_sum_that_is_wrong_is_put_right(redis: Redis) -> None:
    redis.hset(keys.output_sizes("app"), "bytes", 10 * ROOM)
    write_output(redis, "app", GOOD, ROOM)
    write_output(redis, "app", replace(GOOD, job="next"), ROOM)
    assert _kept(redis) == {"next"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü\ttab\n", "plain ü\ttab\n"),
        ("\x1b[1;31mred\x1b[0m and \x9b2Jgone", "red and gone"),
        ("\x1b]0;a title\x07after\x1b]8;;http://x\x1b\\link", "afterlink"),
        ("bell\x07 null\x00 del\x7f", "bell\\x07 null\\x00 del\\x7f"),
        ("right to left \u202egnp.exe", "right to left \\u202egnp.exe"),
        ("\x1b", "\\x1b"),
    ],
)
def test_what_a_terminal_would_obey_is_not_shown(text: str, shown: str) -> None:
    assert plain_text(text) == shown


def _numbered(output: RunOutput, number: int) -> RunOutput:
    return replace(output, job=f"job-{number}", ended=START + number)


def _kept(redis: Redis) -> set[str]:
    return {
        key.decode().removeprefix(keys.output("app", ""))
        for key in redis.scan_iter(keys.output("app", "*"))
    }


def _sum(redis: Redis) -> bytes:
    sizes = redis.hgetall(keys.output_sizes("app"))
    return str(sum(int(size) for name, size in sizes.items() if name != b"bytes")).encode()
