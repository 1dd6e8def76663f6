"""Which occurrences of a span there are, and what the history says of each."""

from __future__ import annotations

from clock.decision import Decision, Kind
from clock.observe.backfill import Candidate, candidates
from clock.recurrence.elapsed import Elapsed

TENS = Elapsed(period=10, anchor=0)


def test_both_ends_of_the_span_belong_to_it() -> None:
    backfillable = candidates(TENS, 1010, 1030, [])
    assert [candidate.scheduled for candidate in backfillable] == [1010, 1020, 1030]


def test_a_run_in_the_history_answers_for_each_of_its_occurrences() -> None:
    history = [
        Decision(Kind.FIRED, 1040, 1040, 1, 0.1),
        Decision(Kind.MISSED, 1020, 1030, 2),
        Decision(Kind.PAUSED, 1010, 1010),
    ]
    assert [candidate.was for candidate in candidates(TENS, 1000, 1050, history)] == [
        None,
        Kind.PAUSED,
        Kind.MISSED,
        Kind.MISSED,
        Kind.FIRED,
        None,
    ]


def test_a_run_by_hand_in_the_same_second_is_not_the_occurrence() -> None:
    history = [Decision(Kind.MANUAL, 1010, 1010), Decision(Kind.OVERLAP, 1010, 1010)]
    assert list(candidates(TENS, 1010, 1010, history)) == [Candidate(1010, Kind.OVERLAP)]
