"""Looking at every state of the model, and the shortest way to a bad one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.model.protocol import Rules, State, start, steps, without_faults


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and the steps that lead there."""

    wrong: str
    way: tuple[str, ...]


def search(
    rules: Rules, *, most: int = 400_000, forgives_early_jobs: bool = False
) -> tuple[int, Finding | None]:
    """The number of states that can be reached and the first finding, one with the fewest steps.
    With ``forgives_early_jobs`` a job that is enqueued before its time is none.

    Raises AssertionError where there are more than ``most`` states.
    """
    first = start(rules)
    came_from: dict[State, tuple[State, str] | None] = {first: None}
    to_do = deque([first])
    finished: dict[State, str | None] = {}
    while to_do:
        state = to_do.popleft()
        wrong = (
            missed_early(state)
            or (None if forgives_early_jobs else fired_early(state))
            or doubled(state)
            or _unfinished(state, rules, finished)
        )
        if wrong:
            return len(came_from), Finding(wrong, _way(state, came_from))
        for name, following in steps(state, rules):
            if following not in came_from:
                came_from[following] = (state, name)
                to_do.append(following)
        assert len(came_from) <= most, "too many states to look at them all"
    return len(came_from), None


def missed_early(state: State) -> str | None:
    """What is recorded as missed before its time, if anything is."""
    for at, missed in enumerate(state.missed, 1):
        if missed and at > state.now:
            return f"occurrence {at} was recorded as missed before its time"
    return None


def fired_early(state: State) -> str | None:
    """What is enqueued before its time, if anything is."""
    for at, fired in enumerate(state.fired, 1):
        if fired and at > state.now:
            return f"occurrence {at} was enqueued before its time"
    return None


def doubled(state: State) -> str | None:
    """What is there twice, if anything is."""
    for at, (fired, missed) in enumerate(zip(state.fired, state.missed, strict=True), 1):
        if fired > 1:
            return f"occurrence {at} was enqueued twice"
        if missed > 1:
            return f"occurrence {at} was recorded as missed twice"
        if fired and missed:
            return f"occurrence {at} was enqueued, and recorded as missed"
    return None


def _unfinished(state: State, rules: Rules, known: dict[State, str | None]) -> str | None:
    """What is left undecided, or decided wrongly, when nothing more goes wrong from here on."""
    if not any(clock.alive for clock in state.clocks):
        return None
    end = without_faults(state, rules)
    if end not in known:
        known[end] = doubled(end) or _lost(end, rules)
    return known[end]


def _lost(end: State, rules: Rules) -> str | None:
    for at, (fired, missed) in enumerate(zip(end.fired, end.missed, strict=True), 1):
        if not fired and (rules.catch_up == "all" or not missed):
            return f"occurrence {at} is lost"
    if not end.fired[-1] and rules.catch_up == "latest":
        return "the newest occurrence did not fire"
    return None


def _way(state: State, came_from: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    while (before := came_from[state]) is not None:
        state, name = before
        names.append(name)
    return tuple(reversed(names))
