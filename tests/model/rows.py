"""A model of a row's life: one row of a source, two clocks, and the server's rows in force.

The row occurs at every second from 1 to ``Rules.occurrences``. Beside the claims of
``protocol.py``, which are whole here, it has these steps:

* ``rows.lua``: the source gives the row, or no longer. A change is written in one step, by a clock
  that has read all changes before it; a new row stands at the present, a removed one leaves a
  tombstone, and its record stays.
* ``claim.lua``: a claim of a row with a tombstone is refused, and nothing is written.
* ``mirror.py`` and ``dispatcher.py``: a clock learns of a change some time later, and until then
  claims the row as it knows it. One that is refused drops the row.
* ``asking.py``: each clock may ask the source at any moment, and write its answer later, whoever
  asked last: what is asserted does not depend on who asks.

A clock may die at any moment, also between asking and writing, and starts again with the rows in
force.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is modelled; the defaults are the code's rules, the rest are ways to get them wrong."""

    occurrences: int = 2
    changes: int = 2
    """How often the source changes its mind."""

    crashes: int = 1
    tombstones: bool = True
    """A removed row leaves a tombstone, which the claim heeds."""

    compares_version: bool = True
    """A change is written only where the clock has read all changes before it."""


class Answer(NamedTuple):
    """What the source gave a clock that had read the rows of ``version``; ``is_older`` than the
    answer to the other clock, and ``is_overtaken`` where that was written.
    """

    version: int
    given: bool
    is_older: bool = False
    is_overtaken: bool = False


class Clock(NamedTuple):
    """One clock: the version it has read, the row as it knows it, and what it is about to write."""

    alive: bool = True
    version: int = 0
    pending: int | None = None
    """Its next occurrence of the row; None where it knows of no row in force."""

    answer: Answer | None = None


class State(NamedTuple):
    """The world between two steps."""

    now: int = 0
    given: bool = False
    """Whether the source gives the row."""

    in_force: bool = False
    version: int = 0
    tombstone: bool = False
    decided: int = 0
    fired: tuple[int, ...] = ()
    """The occurrences whose jobs were pushed, in order."""

    wrong: tuple[str, ...] = ()
    """What must never happen, and did."""

    clocks: tuple[Clock, Clock] = (Clock(), Clock())
    changes: int = 0
    crashes: int = 0


def start(rules: Rules) -> State:
    """A source without rows, and two clocks."""
    return State(changes=rules.changes, crashes=rules.crashes)


def steps(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """Everything that can happen next, each with its name."""
    if state.now < rules.occurrences:
        yield "a second passes", state._replace(now=state.now + 1)
    if state.changes:
        word = "removes" if state.given else "adds"
        yield (
            f"the source {word} the row",
            state._replace(given=not state.given, changes=state.changes - 1),
        )
    for number, clock in enumerate(state.clocks):
        for name, after in _steps_of(number, clock, state, rules):
            yield f"clock {number} {name}", after


def _steps_of(number: int, clock: Clock, state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    def with_clock(changed: Clock, world: State = state) -> State:
        clocks = (changed, world.clocks[1]) if number == 0 else (world.clocks[0], changed)
        return world._replace(clocks=clocks)

    if not clock.alive:
        yield "starts again", with_clock(Clock(version=-1))
        return
    if state.crashes:
        yield "dies", with_clock(Clock(alive=False))._replace(crashes=state.crashes - 1)
    if clock.version != state.version:
        pending = state.decided + 1 if state.in_force else None
        yield "reads the rows", with_clock(clock._replace(version=state.version, pending=pending))
    if clock.answer is None and clock.version >= 0:
        asked = with_clock(clock._replace(answer=Answer(clock.version, state.given)))
        yield "asks the source", _changed_other(number, asked, is_older=True)
    if clock.answer is not None:
        version, given, _, is_overtaken = clock.answer
        after = with_clock(clock._replace(answer=None))
        if given == state.in_force or (rules.compares_version and version != state.version):
            yield "writes nothing", after
        else:
            if is_overtaken:
                after = after._replace(wrong=("an older answer undid a newer one",))
            yield (
                "writes the rows",
                _changed_other(number, _written(after, given), is_overtaken=True),
            )
    if clock.pending is not None and clock.pending <= state.now:
        yield "claims", _claimed(number, clock, state, rules)


def _changed_other(number: int, state: State, **changes: bool) -> State:
    """Change what the other clock has as an answer; only one that is older is overtaken."""
    other = state.clocks[1 - number]
    if other.answer is None or ("is_overtaken" in changes and not other.answer.is_older):
        return state
    changed = other._replace(answer=other.answer._replace(**changes))
    clocks = (state.clocks[0], changed) if number == 0 else (changed, state.clocks[1])
    return state._replace(clocks=clocks)


def _written(state: State, given: bool) -> State:
    """``rows.lua``."""
    return state._replace(
        in_force=given,
        version=state.version + 1,
        tombstone=not given,
        # A row that is new, or comes back late, stands at the present.
        decided=max(state.decided, state.now) if given else state.decided,
    )


def _claimed(number: int, clock: Clock, state: State, rules: Rules) -> State:
    """``claim.lua``, and what the clock makes of the reply."""
    at = clock.pending or 0
    if rules.tombstones and state.tombstone:
        changed, world = clock._replace(pending=None), state
    elif state.decided >= at:
        changed, world = clock._replace(pending=state.decided + 1), state
    else:
        wrong = () if state.in_force else (f"occurrence {at} fired of a row that is removed",)
        world = state._replace(decided=at, fired=(*state.fired, at), wrong=(*state.wrong, *wrong))
        changed = clock._replace(pending=at + 1)
    clocks = (changed, world.clocks[1]) if number == 0 else (world.clocks[0], changed)
    return world._replace(clocks=clocks)


def without_faults(state: State, rules: Rules) -> State:
    """Where living clocks get to if the source and the clocks change no more."""
    for _ in range(200):
        following = _next_without_faults(state, rules)
        if following is None:
            return state
        state = following
    raise AssertionError(f"the clocks never finish: {state}")


def _next_without_faults(state: State, rules: Rules) -> State | None:
    calm = state._replace(crashes=0, changes=0)
    for number, clock in enumerate(calm.clocks):
        if not clock.alive:
            continue
        for name, after in _steps_of(number, clock, calm, rules):
            # An answer that changes nothing would be asked for without end.
            if name != "asks the source" or calm.given != calm.in_force:
                return after
    return calm._replace(now=calm.now + 1) if calm.now < rules.occurrences else None
