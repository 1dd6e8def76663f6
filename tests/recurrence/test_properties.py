"""What holds for every recurrence, at every instant."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clock.errors import RecurrenceError
from clock.recurrence.at import parse_at
from clock.recurrence.bounds import BoundedRule
from clock.recurrence.calendar_rule import CalendarRule
from clock.recurrence.combination import period
from clock.recurrence.count import count
from clock.recurrence.cron import parse_cron
from clock.recurrence.cron_rule import CronRule, cron
from clock.recurrence.days import EPOCH
from clock.recurrence.elapsed import Elapsed, SpanRule
from clock.recurrence.local_times import BetweenRule, OnDaysRule
from clock.recurrence.on import parse_on
from clock.recurrence.phrase import Details, parse_phrase, read_rule
from clock.recurrence.recurrence import Recurrence, between, newest
from clock.recurrence.spread import SpreadRule
from clock.recurrence.wall import DAY, Fold, Gap
from clock.recurrence.zone import zone
from clock.schedule import day_checks

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)

ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll",
        "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns", "Asia/Tokyo",
        "Europe/Dublin", "Africa/Cairo", "America/Caracas", "Asia/Pyongyang",
    ]
)  # fmt: skip
INSTANTS = st.integers(
    int(datetime(2005, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2038, 1, 1, tzinfo=UTC).timestamp()),
)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.tuples(ranges, st.integers(1, max(1, (high - low) // 2))).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    terms = st.lists(st.one_of(number.map(str), ranges, steps), min_size=1, max_size=2)
    stars = st.sampled_from(["*", f"*/{max(2, (high - low) // 4)}"])
    return st.one_of(stars, number.map(str), terms.map(",".join))


CRONS = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(
    lambda fields: cron(" ".join(fields))
)
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
WORDS = st.one_of(
    st.tuples(
        st.sampled_from(["day", "weekday", "weekend", "monday", "3 days", "month", "2 months"]),
        TIMES,
    ).map(lambda pair: f"{pair[0]} at {pair[1]}"),
    st.sampled_from(
        [
            "3 hours at **:20", "mon, wed-fri at 02:10", "sat-mon at 9pm",
            "month on last weekday at 02:30", "quarter on last, 2nd weekday at 00:30",
            "month on 1 nearest weekday, 31 nearest weekday, 15 at 02:30", "day at 2:30am, noon",
            "monday at 2 am, midnight",
            "hour", "minute", "90 minutes", "hour at **:15, **:45", "hour at 0*:30", "day",
            "week at Sunday 02:30, Monday 01:30", "month on last sunday at 02:30", "26 hours",
            "month on 15, last at 00:30", "year on 29 february at 02:15",
            "year on last sunday of march, last sunday of october at 02:30",
        ]
    ),
)  # fmt: skip
DATES = st.frozensets(st.dates(date(2005, 1, 1), date(2037, 12, 31)), max_size=20)
LEAVES = st.one_of(CRONS, WORDS.map(parse_phrase))
RULES: st.SearchStrategy[Any] = st.one_of(
    LEAVES,
    st.tuples(CRONS, WORDS).map(lambda pair: pair[0] | pair[1]),
    st.tuples(CRONS, DATES).map(lambda pair: pair[0] - pair[1]),
    st.tuples(CRONS, st.sampled_from(["12 hours", "day at 12:00", "month"])).map(
        lambda pair: pair[0] - pair[1]
    ),
)
DAYS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["weekday", "weekend", "mon, wed-fri", "sunday"]), DATES.filter(bool)
)
SPANS = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).map(
    lambda pair: (pair[0] * 60, (pair[1] + (pair[0] == pair[1])) % 1440 * 60)
)
GAPS: st.SearchStrategy[Gap] = st.sampled_from(["after", "shift", "skip"])
FOLDS: st.SearchStrategy[Fold] = st.sampled_from(["first", "second", "both"])


AFTER_ALL = int(datetime(2042, 1, 1, tzinfo=UTC).timestamp())
"""An instant after all that is asked for."""


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    rule = draw(RULES)
    rule = rule if isinstance(rule, CalendarRule | SpanRule) else read_rule(rule, Details())
    if draw(st.booleans()):
        rule = OnDaysRule(rule, *day_checks.days(draw(DAYS)))
    if draw(st.booleans()):
        rule = BetweenRule(rule, *draw(SPANS))
    if draw(st.booleans()):
        rule = SpreadRule(inner=rule, over=3600, by=draw(st.integers(0, 3599)))
    unbounded = rule
    if draw(st.booleans()):
        first = draw(st.dates(date(2005, 1, 1), date(2020, 1, 1)))
        rule = BoundedRule(inner=rule, start=first, until=first + timedelta(days=8000))
    where = (zone(draw(ZONES)), draw(GAPS), draw(FOLDS))
    try:
        # What only a clock change lets fire ends with an error once there are no more of them.
        unbounded.recurrence(*where).next(AFTER_ALL)
        occurrences: Recurrence = rule.recurrence(*where)
    except RecurrenceError:
        return Elapsed(period=60, anchor=0)
    return occurrences


def some(recurrence: Recurrence, after: int, count: int = 30) -> list[int]:
    occurrences: list[int] = []
    following = recurrence.next(after)
    while following is not None and len(occurrences) < count:
        occurrences.append(following)
        following = recurrence.next(following)
    return occurrences


@quick
@given(recurrences(), INSTANTS)
def test_a_sequence_ascends_strictly_and_begins_after_the_question(
    recurrence: Recurrence, after: int
) -> None:
    occurrences = [after, *some(recurrence, after)]
    assert occurrences == sorted(set(occurrences))


@quick
@given(recurrences(), INSTANTS, st.data())
def test_every_instant_continues_the_same_sequence(
    recurrence: Recurrence, after: int, data: st.DataObject
) -> None:
    occurrences = some(recurrence, after)
    if not occurrences:
        return
    asked = data.draw(st.integers(after, occurrences[-1]))
    following = [instant for instant in occurrences if instant > asked]
    assert some(recurrence, asked, len(following)) == following


@quick
@given(recurrences(), INSTANTS, st.integers(0, 30 * DAY))
def test_the_newest_of_a_span_is_the_last_of_its_sweep(
    recurrence: Recurrence, after: int, length: int
) -> None:
    occurrences = some(recurrence, after, 100)
    until = min(after + length, occurrences[-1] if occurrences else after)
    inside = [instant for instant in occurrences if instant <= until]
    assert newest(recurrence, after, until) == (inside[-1] if inside else None)


@settings(quick, max_examples=600)
@given(recurrences(), INSTANTS, st.integers(0, 800 * DAY))
def test_what_is_counted_is_what_a_walk_finds(
    recurrence: Recurrence, after: int, length: int
) -> None:
    inside = list(islice(between(recurrence, after, after + length), 5000))
    until = inside[-1] if len(inside) == 5000 else after + length
    assert count(recurrence, after, until) == len(inside)


DENSE: st.SearchStrategy[Any] = st.sampled_from(
    [
        cron("5,35 0-23 * * *"), cron("*/15 * * * *"), cron("0 0-23 * * mon-sat"),
        cron("5,35 0-23 * * *") | cron("*/20 * * * *"), period("40 minutes") | cron("1 0-23 * * *"),
        cron("*/10 0-23 * * *") - cron("30 0-23 * * *"), cron("30 0-23 * * *") - period("7 hours"),
    ]
)  # fmt: skip


@settings(quick, max_examples=1500)
@given(DENSE, ZONES, GAPS, FOLDS, st.booleans(), st.data())
def test_what_is_counted_around_a_clock_change_is_what_a_walk_finds(
    rule: Any, zone_name: str, gap: Gap, fold: Fold, has_days_off: bool, data: st.DataObject
) -> None:
    own = zone(zone_name)
    seams = [start for start in own.starts if 1_100_000_000 < start < 2_140_000_000] or [10**9]
    seam = data.draw(st.sampled_from(seams))
    if has_days_off:
        days = data.draw(st.sets(st.integers(-3, 3), min_size=1, max_size=4))
        here = datetime.fromtimestamp(seam, UTC).date()
        rule = rule - {here + timedelta(days=day) for day in days}
    recurrence = read_rule(rule, Details()).recurrence(own, gap, fold)
    first, last = sorted(data.draw(st.tuples(*[st.integers(-3 * DAY, 3 * DAY)] * 2)))
    occurrences = sum(1 for _ in between(recurrence, seam + first, seam + last))
    assert count(recurrence, seam + first, seam + last) == occurrences


@settings(quick, max_examples=60)
@given(CRONS, WORDS, ZONES, INSTANTS, GAPS, FOLDS)
def test_union_and_difference_are_those_of_sets(
    one: CronRule, other: str, zone_name: str, after: int, gap: Gap, fold: Fold
) -> None:
    where, until = zone(zone_name), after + 3 * DAY

    def occurrences(period: Any) -> set[int]:
        recurrence = read_rule(period, Details()).recurrence(where, gap, fold)
        return set(between(recurrence, after, until))

    assert occurrences(one | other) == occurrences(one) | occurrences(other)
    with contextlib.suppress(RecurrenceError):  # nothing may be left
        assert occurrences(one - other) == occurrences(one) - occurrences(other)
    with contextlib.suppress(RecurrenceError):
        assert occurrences(other - one) == occurrences(other) - occurrences(one)


def _within(recurrence: Recurrence, after: int, until: int) -> list[int]:
    return list(between(recurrence, after, until))


@quick
@given(LEAVES, SPANS, DAYS, ZONES, INSTANTS, GAPS, FOLDS)
def test_what_is_left_between_two_times_on_some_days_is_what_the_clock_shows_there(
    rule: Any, span: tuple[int, int], days: Any, zone_name: str, after: int, gap: Gap, fold: Fold
) -> None:
    where, until = zone(zone_name), after + 40 * DAY
    everything = list(islice(between(rule.recurrence(where, gap, fold), after, until), 3000))
    until = everything[-1] if len(everything) == 3000 else until
    (first, last), chosen = span, day_checks.days(days).days

    def is_left(instant: int) -> bool:
        day, second = divmod(instant + where.offset(instant), DAY)
        inside = (second >= first, second <= last)
        return (all(inside) if first <= last else any(inside)) and chosen.next(day) == day

    narrowed = BetweenRule(OnDaysRule(rule, chosen, ""), first, last)
    try:
        occurrences = _within(narrowed.recurrence(where, gap, fold), after, until)
    except RecurrenceError:  # nothing is left since 2001
        occurrences = []
    assert occurrences == list(filter(is_left, everything))


@quick
@given(CRONS, DATES, ZONES, INSTANTS)
def test_days_off_are_left_out_and_nothing_else(
    rule: Any, dates: frozenset[date], zone_name: str, after: int
) -> None:
    where, until = zone(zone_name), after + 30 * DAY
    everything = _within(rule.recurrence(where, "after", "first"), after, until)
    on = date.fromordinal(after // DAY + EPOCH + 3)
    some_off = read_rule(rule - (dates | {on}), Details())
    try:
        occurrences = _within(some_off.recurrence(where, "after", "first"), after, until)
    except RecurrenceError:
        return
    local = [
        date.fromordinal((instant + where.offset(instant)) // DAY + EPOCH) for instant in everything
    ]
    left = [e for e, day in zip(everything, local, strict=True) if day not in dates | {on}]
    assert occurrences[: len(left)] == left


@quick
@given(LEAVES, ZONES, INSTANTS, st.integers(0, 400), st.integers(0, 400))
def test_bounds_cut_the_sequence_and_nothing_else(
    rule: Any, zone_name: str, after: int, first: int, length: int
) -> None:
    where = zone(zone_name)
    start = datetime.fromtimestamp(after + first * 3600, UTC)
    end = start + timedelta(hours=length)
    inner = rule.recurrence(where, "after", "first")
    try:
        bounded = BoundedRule(inner=rule, start=start, until=end).recurrence(
            where, "after", "first"
        )
    except RecurrenceError:
        bounded = None
    expected = [
        instant
        for instant in some(inner, int(start.timestamp()) - 1, 200)
        if instant <= int(end.timestamp())
    ]
    assert (some(bounded, after - 1, 200) if bounded else []) == expected


@quick
@given(LEAVES)
def test_parse_print_parse_is_a_fixpoint(rule: Any) -> None:
    if isinstance(rule, CalendarRule | SpanRule):
        assert parse_phrase(str(rule)) == rule
    else:
        assert cron(rule.text, seconds=rule.seconds) == rule
        assert cron(f"  {rule.text.upper()} ".replace(" ", "  ")) == rule


NOTATION = st.one_of(
    st.text(max_size=60),
    st.text("0123456789*/-,#?@L wW:.adefhimnorstuy|()", max_size=60),
    st.text("0123456789*/-,# ", max_size=30),
)


@pytest.mark.parametrize("seconds", [None, "first", "last"])
@quick
@given(text=NOTATION)
def test_any_text_is_cron_or_refused(seconds: Any, text: str) -> None:
    _reads_or_refuses(lambda: parse_cron(text, seconds))


@pytest.mark.parametrize("parse", [parse_phrase, parse_at, parse_on])
@settings(max_examples=200, deadline=None)
@given(text=NOTATION)
def test_any_text_is_a_phrase_a_time_a_day_or_refused(parse: Any, text: str) -> None:
    _reads_or_refuses(lambda: parse(text))


def _reads_or_refuses(read: Any) -> None:
    begin = time.perf_counter()
    try:
        read()
    except RecurrenceError as error:
        message = str(error)
    else:
        message = "read"
    assert message
    assert "\n" not in message
    assert time.perf_counter() - begin < 2
