"""The claim protocol, in every interleaving of two clocks, lost replies and crashes."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.model.protocol import Rules
from tests.model.search import search


@pytest.mark.parametrize("catch_up", ["all", "latest"])
@pytest.mark.parametrize(("occurrences", "faults"), [(2, 3), (3, 1)])
def test_each_occurrence_is_decided_once_and_none_is_lost_while_a_clock_lives(
    catch_up: Literal["all", "latest"], occurrences: int, faults: int
) -> None:
    rules = Rules(catch_up=catch_up, occurrences=occurrences, faults=faults)
    states, finding = search(rules)
    assert finding is None
    assert states > 10_000


@pytest.mark.parametrize("catch_up", ["all", "latest"])
@pytest.mark.parametrize("offsets", [(1, 0), (-1, 0), (1, -1), (1, 1)])
def test_wrong_wall_clocks_lose_nothing_double_nothing_and_are_never_early(
    catch_up: Literal["all", "latest"], offsets: tuple[int, int]
) -> None:
    states, finding = search(Rules(catch_up=catch_up, offsets=offsets, faults=2))
    assert finding is None
    assert states > 10_000


@pytest.mark.parametrize("catch_up", ["all", "latest"])
def test_a_wall_clock_that_is_ahead_by_more_loses_nothing_of_three_occurrences(
    catch_up: Literal["all", "latest"],
) -> None:
    states, finding = search(Rules(catch_up=catch_up, offsets=(2, 0), occurrences=3, faults=1))
    assert finding is None
    assert states > 10_000


def test_a_claimer_that_decides_by_its_own_clock_is_found_to_be_early() -> None:
    _, finding = search(Rules(judged_by="claimer", offsets=(1, 0)))
    assert finding
    assert finding.wrong == "occurrence 1 was enqueued before its time"
    assert finding.way == ("clock 0 ticks", "clock 0 has its request executed")


def test_a_claimer_that_decides_by_its_own_clock_is_found_to_lose_what_is_to_come() -> None:
    rules = Rules(judged_by="claimer", offsets=(2, 0), catch_up="latest")
    _, finding = search(rules, forgives_early_jobs=True)
    assert finding
    assert finding.wrong == "occurrence 1 was recorded as missed before its time"


def test_without_the_guard_the_model_finds_a_doubled_job() -> None:
    _, finding = search(Rules(guard=False))
    assert finding
    assert finding.wrong == "occurrence 1 was enqueued twice"


def test_a_crash_between_record_and_push_is_found_to_lose_a_job() -> None:
    _, finding = search(Rules(atomic="record, then push"))
    assert finding
    assert finding.wrong == "occurrence 1 is lost"
    assert finding.way[-1].endswith("crashes")


def test_a_push_before_its_record_is_found_to_double_a_job() -> None:
    _, finding = search(Rules(atomic="push, then record"))
    assert finding
    assert finding.wrong == "occurrence 1 was enqueued twice"


def test_a_run_judged_by_its_last_occurrence_records_a_fired_one_as_missed() -> None:
    _, finding = search(Rules(guards_first=False, catch_up="latest", occurrences=3))
    assert finding
    assert finding.wrong == "occurrence 1 was enqueued, and recorded as missed"
