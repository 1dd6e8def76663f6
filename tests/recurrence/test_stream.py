from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from clock.errors import RecurrenceError
from clock.recurrence.recurrence import between
from clock.recurrence.stream import KEPT, READ_AT_ONCE, Stream, times

START = datetime(2026, 1, 1, tzinfo=UTC)
ZERO = int(START.timestamp())


def minutes(how_many: int | None = None) -> Iterator[datetime]:
    for number in count() if how_many is None else range(how_many):
        yield START + timedelta(minutes=number)


def stream(source: Iterable[datetime]) -> Stream:
    return times(source).stream


def test_a_list_fires_at_its_instants() -> None:
    three = stream(list(minutes(3)))
    assert list(between(three, 0, None)) == [ZERO, ZERO + 60, ZERO + 120]
    assert three.next(ZERO + 120) is None


def test_an_endless_function_is_read_as_far_as_it_is_asked() -> None:
    read = []

    def endless() -> Iterator[datetime]:
        for instant in minutes():
            read.append(instant)
            yield instant

    recurrence = times(endless).stream
    assert len(read) == 1
    assert recurrence.next(ZERO + 60) == ZERO + 120
    assert len(read) == 3


@pytest.mark.parametrize("source", [minutes, list(minutes(50)), minutes()])
def test_every_instant_continues_the_same_sequence(source: Iterable[datetime]) -> None:
    recurrence = stream(source)
    for after in (ZERO + 600, ZERO - 1, ZERO + 61, ZERO + 1200, ZERO + 59):
        assert recurrence.next(after) == (after // 60 + 1) * 60


def test_fractions_of_a_second_are_cut_off_and_what_falls_together_fires_once() -> None:
    parts = [START + timedelta(milliseconds=ms) for ms in (100, 900, 1100)]
    assert list(between(stream(parts), 0, None)) == [ZERO, ZERO + 1]


def test_any_zone_will_do() -> None:
    from zoneinfo import ZoneInfo

    tokyo = datetime(2026, 1, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert stream([tokyo]).next(0) == ZERO


def test_what_is_forgotten_is_read_again_from_a_function() -> None:
    recurrence = times(minutes).stream
    far = ZERO + 60 * 3 * KEPT
    assert recurrence.next(far) == far + 60
    assert recurrence.next(ZERO) == ZERO + 60


def test_what_is_forgotten_of_an_iterator_is_refused() -> None:
    recurrence = stream(minutes())
    assert recurrence.next(ZERO + 60 * 3 * KEPT) is not None
    with pytest.raises(RecurrenceError) as caught:
        recurrence.next(ZERO)
    assert str(caught.value).endswith(
        "are no longer kept; give times(...) a function, which can be called again"
    )


def test_one_question_reads_so_many_items_at_most_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clock.recurrence.stream.READ_AT_ONCE", 100)
    assert READ_AT_ONCE == 1_000_000
    recurrence = times(minutes).stream
    with pytest.raises(RecurrenceError) as caught:
        recurrence.next(ZERO + 60 * 150)
    assert str(caught.value) == (
        "times tests.recurrence.test_stream.minutes(): 100 items were read, "
        "and they only reach 2026-01-01 01:40:00+00:00"
    )
    assert recurrence.next(ZERO + 60 * 150) == ZERO + 60 * 151


def test_a_stream_that_repeats_an_instant_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clock.recurrence.stream.READ_AT_ONCE", 100)

    def still() -> Iterator[datetime]:
        while True:
            yield START

    recurrence = times(still).stream
    assert recurrence.next(0) == ZERO
    with pytest.raises(RecurrenceError):
        recurrence.next(ZERO)


def test_an_item_out_of_order_is_refused_where_it_comes_and_not_before() -> None:
    def unsorted() -> Iterator[datetime]:
        yield from minutes(3)
        yield START

    recurrence = times(unsorted).stream
    assert recurrence.next(ZERO) == ZERO + 60
    for _ in range(2):
        with pytest.raises(RecurrenceError) as caught:
            recurrence.next(ZERO + 120)
        assert str(caught.value).endswith(
            "unsorted(): item 4, 2026-01-01 00:00:00+00:00, is earlier than the one before it; "
            "the items must ascend, so sort them"
        )
    assert recurrence.next(ZERO) == ZERO + 60


def test_a_list_is_refused_as_a_whole_at_once() -> None:
    with pytest.raises(RecurrenceError) as caught:
        times([*minutes(3), START])
    assert "item 4, 2026-01-01 00:00:00+00:00, is earlier than the one before it" in str(
        caught.value
    )


def naive() -> Iterator[datetime]:
    yield datetime(2026, 1, 1)  # noqa: DTZ001


def test_a_naive_item_is_refused() -> None:
    with pytest.raises(RecurrenceError) as caught:
        times(naive)
    assert str(caught.value) == (
        "times tests.recurrence.test_stream.naive(): item 1, 2026-01-01 00:00:00, has no zone; "
        "write aware datetimes, as datetime(2026, 1, 31, tzinfo=UTC)"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "times(5): write an iterable of datetimes, or a function that returns one"),
        (
            "2026-01-01",
            "times('2026-01-01'): write an iterable of datetimes, or a function that returns one",
        ),
        (iter(["x"]), "times list_iterator: item 1, 'x', is not a datetime"),
        (iter(()), "times tuple_iterator has no times, so it never fires"),
        (
            lambda: 1 // 0,
            "times tests.recurrence.test_stream.<lambda>() failed: "
            "ZeroDivisionError: integer division or modulo by zero",
        ),
    ],
)
def test_an_invalid_stream_is_refused(source: Iterable[datetime], message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        times(source)
    assert str(caught.value) == message


def test_a_function_that_fails_once_is_asked_anew_the_next_time() -> None:
    calls = []

    def flaky() -> Iterator[datetime]:
        calls.append(1)
        yield START
        if len(calls) == 1:
            raise OSError("away")
        yield START + timedelta(minutes=1)

    recurrence = times(flaky).stream
    with pytest.raises(RecurrenceError) as caught:
        recurrence.next(ZERO)
    assert str(caught.value).endswith("flaky() failed: OSError: away")
    assert recurrence.next(ZERO) == ZERO + 60


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, KeyboardInterrupt])
def test_a_stream_that_exits_has_failed_and_not_ended(error: type[BaseException]) -> None:
    def exits() -> Iterator[datetime]:
        yield START
        raise error

    exiting = stream(exits())
    with pytest.raises((RecurrenceError, KeyboardInterrupt)):
        exiting.next(ZERO)
    with pytest.raises(RecurrenceError, match=f"failed: {error.__name__}"):
        exiting.next(ZERO)
