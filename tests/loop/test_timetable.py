"""The timetable: soonest first, nothing forgotten, catch-up."""

from __future__ import annotations

import pytest

from clock.decision import Kind
from clock.loop.due import Due, Passed, TimetableRow
from clock.loop.timetable import Timetable
from clock.recurrence.cron_rule import cron
from clock.recurrence.elapsed import Elapsed
from clock.recurrence.published import Published
from clock.recurrence.zone import zone


class Broken:
    """A recurrence that gives what it was told to, or raises it."""

    def __init__(self, answer: int | Exception) -> None:
        self.answer = answer

    def next(self, after: int) -> int | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def is_moved(self, instant: int) -> bool:
        return False


def test_what_is_due_comes_in_order_of_time_then_of_events() -> None:
    table = _table(every=[10, 5, 10])
    assert table.due(1010, 10) == [Due(1, 1005, 1005), Due(0, 1010, 1010), Due(2, 1010, 1010)]


def test_nothing_is_due_before_its_time() -> None:
    table = _table(every=[10])
    assert table.due(1009.999, 10) == []
    assert table.next_due() == 1010


def test_no_more_than_the_limit_is_taken() -> None:
    table = _table(every=[10, 10, 10])
    assert [len(table.due(1010, 2)), len(table.due(1010, 2)), len(table.due(1010, 2))] == [2, 1, 0]


def test_an_event_that_advanced_is_due_at_its_next_time() -> None:
    table = _table(every=[10])
    (due,) = table.due(1010, 10)
    table.advance(due, due.last)
    assert table.next_due() == 1020


def test_an_event_that_another_clock_took_further_goes_on_behind_that() -> None:
    table = _table(every=[10])
    (due,) = table.due(1010, 10)
    table.advance(due, 1030)
    assert table.next_due() == 1040


def test_a_late_clock_that_lived_owes_every_occurrence() -> None:
    assert _drained(_table(every=[10]), now=1035) == [1010, 1020, 1030]


def test_after_a_time_without_claims_only_the_newest_is_due_then_each_again() -> None:
    table = _table(every=[10])
    table.catch_up(1035)
    assert _drained(table, now=1055) == [1030, 1040, 1050]


def test_what_was_not_missed_comes_before_what_is_caught_up() -> None:
    table = _table(every=[10, 7])
    table.catch_up(1035)
    (first,) = table.due(1036, 1)
    assert (first.row, first.fire) == (0, 1030)
    table.advance(first, first.last)
    # 1040 was not missed; the other event is still behind.
    assert [(each.row, each.fire) for each in table.due(1040, 2)] == [(0, 1040), (1, 1029)]


def test_of_events_that_are_behind_the_one_that_was_due_last_comes_first() -> None:
    table = _table(every=[500, 1, 60, 60])
    table.catch_up(2000)
    assert table.is_behind is False
    assert [each.row for each in table.due(2000, 1)] == [0]
    assert table.is_behind is True
    assert table.next_due() == 1001
    assert [each.row for each in table.due(2000, 10)] == [1, 2, 3]
    assert table.is_behind is False


def test_what_many_events_owe_alike_is_found_once() -> None:
    class Counting(Elapsed):
        asked = 0

        def next(self, after: int) -> int | None:
            Counting.asked += 1
            return super().next(after)

    def cost(events: int) -> int:
        recurrence = Counting(period=10, anchor=0)
        table = Timetable([TimetableRow(recurrence=recurrence) for _ in range(events)])
        for index in range(events):
            table.begin(index, 1000)
        table.catch_up(10**9)
        before = Counting.asked
        assert [each.fire for each in table.due(10**9, events)] == [10**9] * events
        return Counting.asked - before

    assert cost(100) == cost(1)


def test_what_was_missed_is_not_walked_through() -> None:
    cron_line = cron("* * * * *").recurrence(zone("Europe/Berlin"), "after", "first")
    table = Timetable([TimetableRow(recurrence=cron_line)])
    table.begin(0, 0)
    table.catch_up(1_800_000_000)
    (due,) = table.due(1_800_000_000, 1)
    assert due.passed == (Passed(Kind.MISSED, 60, 1_799_999_940, 29_999_999),)


def test_what_has_to_be_walked_through_is_caught_up_in_a_batch_of_its_own() -> None:
    walked = Published(instants=tuple(range(1000, 2000)), is_all=True)
    table = Timetable([TimetableRow(recurrence=walked) for _ in range(3)])
    for index in range(3):
        table.begin(index, 1000)
    table.catch_up(1500)
    assert [len(table.due(1500, 10)) for _ in range(4)] == [1, 1, 1, 0]


def test_the_horizon_never_goes_back() -> None:
    table = _table(every=[10])
    table.catch_up(1035)
    table.catch_up(1000)
    assert _drained(table, now=1040) == [1030, 1040]


@pytest.mark.parametrize("catch_up", [0, 1, 2, 1000])
def test_a_time_that_went_back_leaves_nothing_as_missed_that_is_to_come(catch_up: int) -> None:
    table = Timetable([TimetableRow(recurrence=Elapsed(period=10, anchor=0), catch_up=catch_up)])
    table.catch_up(1600)
    table.begin(0, 1000)
    assert table.due(1005, 10) == []
    assert _drained(table, now=1010) == [1010]
    # Late, but somebody could claim all the time.
    assert _drained(table, now=1035) == [1020, 1030]


def test_what_waits_to_be_caught_up_when_the_time_goes_back_waits_for_its_time() -> None:
    table = _table(every=[10, 10])
    table.catch_up(1035)
    (first,) = table.due(1035, 1)
    assert first.fire == 1030
    assert table.due(1005, 10) == []
    assert [each.fire for each in table.due(1010, 10)] == [1010]
    assert table.take_broken() == []


def test_what_was_put_back_is_due_again() -> None:
    table = _table(every=[10, 10])
    taken = table.due(1010, 10)
    table.put_back(taken)
    assert table.due(1010, 10) == taken


@pytest.mark.parametrize(("catch_up", "first"), [(1, 1030), (2, 1020), (1000, 1010)])
def test_what_was_put_back_is_caught_up_by_the_same_rule(catch_up: int, first: int) -> None:
    table = Timetable([TimetableRow(recurrence=Elapsed(period=10, anchor=0), catch_up=catch_up)])
    table.begin(0, 1000)
    table.catch_up(1035)
    for _ in range(3):
        taken = table.due(1035, 10)
        assert [each.fire for each in taken] == [first]
        table.put_back(taken)


def test_of_what_another_clock_decided_in_part_the_rest_is_counted_anew() -> None:
    table = _table(every=[10])
    table.catch_up(1045)
    (due,) = table.due(1045, 10)
    table.advance(due, 1020)
    (again,) = table.due(1045, 10)
    assert (again.pending, again.fire) == (1030, 1040)
    assert again.passed == (Passed(Kind.MISSED, 1030, 1030, 1),)


def test_a_held_event_is_due_again_later_with_its_newest_occurrence() -> None:
    table = _table(every=[10])
    (due,) = table.due(1010, 10)
    table.hold(due, until=1041)
    assert table.due(1040, 10) == []
    (again,) = table.due(1041, 10)
    assert again.fire == 1040


def test_a_recurrence_that_does_not_go_forward_leaves_its_event_out() -> None:
    table = Timetable([TimetableRow(recurrence=Broken(5))])
    table.begin(0, 5)
    assert table.next_due() is None
    assert table.take_broken() == [(0, "its next time, 5, is not later than its last, 5")]


def test_a_recurrence_that_raises_while_catching_up_is_left_out_and_told_of() -> None:
    class Late(Elapsed):
        def next(self, after: int) -> int | None:
            if after > 1020:
                raise ValueError("out of times")
            return super().next(after)

    table = Timetable(
        [
            TimetableRow(recurrence=Late(period=10, anchor=0)),
            TimetableRow(recurrence=Elapsed(period=10, anchor=0)),
        ]
    )
    for index in range(2):
        table.begin(index, 1000)
    table.catch_up(1035)
    assert [(each.row, each.fire) for each in table.due(1035, 10)] == [(1, 1030)]
    assert table.take_broken() == [(0, "ValueError: out of times")]
    assert table.take_broken() == []
    assert table.next_due() is None


def test_a_recurrence_that_raises_leaves_its_event_out() -> None:
    table = Timetable([TimetableRow(recurrence=Broken(ZeroDivisionError("oh")))])
    table.begin(0, 5)
    assert table.next_due() is None
    assert table.take_broken() == [(0, "ZeroDivisionError: oh")]


def _table(every: list[int]) -> Timetable:
    table = Timetable(
        [TimetableRow(recurrence=Elapsed(period=period, anchor=0)) for period in every]
    )
    for index in range(len(every)):
        table.begin(index, 1000)
    return table


def _drained(table: Timetable, now: float) -> list[int]:
    found = []
    while due := table.due(now, 1):
        found.append(due[0].last)
        table.advance(due[0], due[0].last)
    return found
