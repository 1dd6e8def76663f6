"""An agenda gives back what waits, the soonest first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock.loop.due_queue import DueQueue


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20))))
def test_it_gives_back_what_was_put_by_instant_and_number(entries: list[tuple[int, int]]) -> None:
    agenda = DueQueue()
    for at, number in entries:
        agenda.put(number, at)
    assert [agenda.take() for _ in entries] == sorted(entries)
    assert agenda.soonest() is None


def test_what_is_put_while_others_are_taken_takes_its_place() -> None:
    agenda = DueQueue()
    for number in (3, 1):
        agenda.put(number, 10)
    assert agenda.take() == (10, 1)
    agenda.put(2, 10)
    agenda.put(9, 5)
    assert agenda.soonest() == 5
    assert [agenda.take() for _ in range(3)] == [(5, 9), (10, 2), (10, 3)]


def test_there_is_nothing_to_take_where_nothing_waits() -> None:
    assert DueQueue().soonest() is None
    with pytest.raises(IndexError):
        DueQueue().take()
