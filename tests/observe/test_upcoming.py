"""What is to come of one event, and of all of them in a week."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from redis import Redis

from clock import Schedule
from clock.observe.snapshot import read_snapshot
from clock.observe.status import AppStatus, status
from clock.observe.upcoming import DAY, coming, load
from clock.recurrence.recurrence import between
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import Watched
from tests.loop.passes import take_turn_of_all

NOW = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC).timestamp()
"""The day before the clocks of Berlin go forward."""


def test_the_next_times_say_which_ones_a_clock_change_moves(
    redis: Redis, read: ReadSchedule
) -> None:
    app_status = _status(
        redis, read("every('day', 'tasks.x', at='02:30', tz='Europe/Berlin')"), NOW
    )
    first, second = coming(app_status.events[0], NOW, 2)
    changed = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert (first.at, first.mark, first.change, first.offset) == (changed, "gap", changed, 7200)
    assert (second.mark, second.change, second.at - first.at) == (None, None, 23 * 3600 + 1800)


def test_a_week_counts_each_minute_as_it_will_be(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "every('20 seconds', 'tasks.a')",
        "every('7 seconds', 'tasks.b')",
        "every('10 minutes', 'tasks.c')",
        "every('hour', 'tasks.d', at='**:00', tz='Europe/Berlin')",
        "every(cron('0 0 * * *'), 'tasks.e')",
        "every(cron('0 0 * * *'), 'tasks.f')",
        "every('day', 'tasks.off', at='00:00', enabled=False)",
    )
    week = load(_status(redis, schedule, NOW).events, NOW)
    start = int(NOW) // 60 * 60
    expected = Counter(
        (at - start) // 60
        for event in schedule.events.values()
        if event.enabled
        for at in between(event.recurrence, start - 1, start + 7 * DAY - 1)
    )
    assert week.start == start
    assert {minute: count for minute, count in enumerate(week.counts) if count} == expected
    assert week.total == expected.total()
    assert week.unknown == ()


def test_the_fullest_minutes_are_named_with_their_events(redis: Redis, read: ReadSchedule) -> None:
    schedule = read(
        "for i in range(30): every('day', 'tasks.x', at='00:00', name=f'n{i:02}')",
        "every('20 seconds', 'tasks.y')",
    )
    week = load(_status(redis, schedule, NOW).events, NOW, worst=2)
    midnight = (int(NOW) // DAY + 1) * DAY
    assert [(minute.at, minute.count) for minute in week.worst] == [
        (midnight, 33), (midnight + DAY, 33),
    ]  # fmt: skip
    assert week.worst[0].events == ("tasks.y", *(f"n{number:02}" for number in range(9)))


def test_an_event_whose_times_come_from_code_is_counted_as_far_as_known(
    redis: Redis, read: ReadSchedule
) -> None:
    schedule = read(
        "from datetime import UTC, datetime, timedelta",
        "from clock import times",
        "def endless():",
        "    at = datetime(2026, 3, 28, 13, tzinfo=UTC)",
        "    while True:",
        "        yield at",
        "        at += timedelta(minutes=1)",
        "every(times(endless), 'tasks.x')",
    )
    week = load(_status(redis, schedule, NOW).events, NOW)
    assert week.unknown == ("tasks.x",)
    assert week.total == 200


def _status(redis: Redis, schedule: Schedule, now: float) -> AppStatus:
    clock = Watched(redis, schedule, now=now)
    take_turn_of_all(clock.loop)
    return status(read_snapshot(redis, "test"), now)
