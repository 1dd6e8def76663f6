"""A row's life, in every interleaving of a source that changes, two clocks and a crash."""

from __future__ import annotations

from collections import deque

from tests.model.rows import Rules, State, start, steps, without_faults


def test_a_removed_row_never_fires_and_none_fires_twice_whoever_asks() -> None:
    states, wrong = _search(Rules())
    assert wrong is None
    assert states > 10_000


def test_without_tombstones_the_model_finds_a_removed_row_that_fires() -> None:
    _, wrong = _search(Rules(tombstones=False))
    assert wrong == "occurrence 1 fired of a row that is removed"


def test_without_the_version_the_model_finds_an_older_answer_that_undoes_a_newer_one() -> None:
    _, wrong = _search(Rules(compares_version=False))
    assert wrong == "an older answer undid a newer one"


def _search(rules: Rules) -> tuple[int, str | None]:
    """The number of states, and the first thing that is wrong in one of them."""
    first = start(rules)
    seen, to_do = {first}, deque([first])
    while to_do:
        state = to_do.popleft()
        wrong = _wrong(state, rules)
        if wrong:
            return len(seen), wrong
        for _, following in steps(state, rules):
            if following not in seen:
                seen.add(following)
                to_do.append(following)
        assert len(seen) <= 400_000, "too many states to look at them all"
    return len(seen), None


def _wrong(state: State, rules: Rules) -> str | None:
    if state.wrong:
        return state.wrong[0]
    if len(set(state.fired)) < len(state.fired):
        return "an occurrence fired twice"
    if not any(clock.alive for clock in state.clocks):
        return None
    end = without_faults(state, rules)
    if end.wrong:
        return end.wrong[0]
    if end.in_force != end.given:
        return "the rows in force are not those of the source"
    # An answer from before, which is still to be written, may take the row away and bring it back.
    is_settled = state.in_force == state.given and all(
        clock.answer is None or clock.answer.given == state.in_force for clock in state.clocks
    )
    due = range(state.decided + 1, rules.occurrences + 1)
    if is_settled and end.in_force and any(at not in end.fired for at in due):
        return "an occurrence of a row in force is lost"
    return None
