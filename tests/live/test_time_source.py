"""Two clocks of one application that take the time from different sources."""

from __future__ import annotations

from redis import Redis

from tests.live.conftest import StartClock, WriteSchedule
from tests.live.server import Server


def test_a_second_clock_with_another_time_source_ends_with_exit_code_3(
    redis: Redis, server: Server, start_clock: StartClock, write_schedule: WriteSchedule
) -> None:
    rules = ("on", ">word", "~*", "&*", "+@all", "-time")
    redis.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    schedule = write_schedule("every('1 second', 'tasks.x')")
    first = start_clock(schedule)
    first.wait_for_line("enqueued")
    second = start_clock(schedule, server.url.replace("//", "//limited:word@"))
    assert second.process.wait(timeout=15) == 3
    (line,) = second.err.read_text().splitlines()
    assert line.startswith("clock: this clock takes the time from the host, and the clock ")
    assert second.enqueued() == []
    known = len(first.enqueued())
    first.wait_for_line("enqueued")
    assert first.stop() == 0
    assert len(first.enqueued()) >= known
    assert first.lines("time source") == []
