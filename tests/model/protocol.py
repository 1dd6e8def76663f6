"""A model of the claim protocol: one event, two clocks, one server, and what may go wrong.

The event occurs at 1, 2, ... ``Rules.occurrences``. The rules are those of the code:

* ``claim.lua``: the server's time decides. An occurrence that lies in its future is not decided,
  and nothing is written of it. One that is not later than the last decided one is somebody's
  already; else it is recorded and, where it fires, its job is pushed, in one step. A run of missed
  occurrences counts only while its first one is undecided; where it was decided in part, nothing
  of that event is written, and the reply says how far the record is.
* ``enrol.lua``: a clock that starts goes on from the record.
* ``loop.py``: a clock has one claim in hand. After a failure it takes back what it had taken,
  moves the horizon to the present and asks again; a reply moves it behind what is decided. A pass
  that comes late moves the horizon as well.
* ``server_time.py``: a clock believes a time, which may be wrong, and every reply corrects it.
  Where that is so depends on its host, so one that starts again is wrong again.
* ``timetable.py`` and ``catch_up.py``: up to the horizon the catch-up rule holds, once for each
  horizon; what is later fires one by one.

A request whose reply is given up may still lie before the server, be executed later, or never. The
model lets one such request per clock linger. Enrolment is one step here: it may be repeated freely,
so that a lost reply to it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Claim = tuple[Literal["f", "m"], int, int]
"""Kind, first and last occurrence; of what fires, both are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is modelled; the defaults are the code's rules, the rest are ways to get them wrong."""

    catch_up: Literal["all", "latest"] = "all"
    occurrences: int = 2
    faults: int = 3
    """Crashes and lost requests or replies in one history."""

    offsets: tuple[int, int] = (0, 0)
    """How many seconds the wall clock of each clock's host is ahead of the server's."""

    judged_by: Literal["server", "claimer"] = "server"
    """Whose time decides; a claimer does not heed the server's at all."""

    guard: bool = True
    """The server looks at the record before it writes."""

    guards_first: bool = True
    """It asks that the first of a run be undecided, not only the last."""

    atomic: Literal["whole", "record, then push", "push, then record"] = "whole"


class Clock(NamedTuple):
    """One clock process: what it believes, and its requests on their way."""

    alive: bool = True
    offset: int = 0
    """How many seconds it believes the server's time to be ahead of what it is."""

    pending: int = 1
    """Its oldest undecided occurrence, as far as it knows."""

    horizon: int = 0
    trimmed: bool = False
    """The catch-up rule was applied for this horizon."""

    failed: bool = False
    """Its last claim failed; the next pass moves the horizon."""

    waits: bool = False
    last: int = 0
    """The newest occurrence that the claim in hand decides."""

    request: tuple[Claim, ...] = ()
    """On its way to the server."""

    half: tuple[Claim, ...] = ()
    """Half executed; stays empty where a claim is atomic."""

    reply: int | None = None
    """On its way back: how far the event is decided."""

    lingering: tuple[Claim, ...] = ()
    """A request nobody waits for any more, still before the server."""


class State(NamedTuple):
    """The world between two steps."""

    now: int
    decided: int
    fired: tuple[int, ...]
    """How many jobs each occurrence has on the queue."""

    missed: tuple[int, ...]
    """How often each occurrence was recorded as missed."""

    clocks: tuple[Clock, ...]
    faults: int


def start(rules: Rules) -> State:
    """Two clocks that have just seen the event for the first time."""
    none = (0,) * rules.occurrences
    clocks = tuple(Clock(offset=offset) for offset in rules.offsets)
    return State(0, 0, none, none, clocks, rules.faults)


def steps(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """Everything that can happen next, faults included, each with its name."""
    if state.now < _end(rules):
        yield "a second passes", state._replace(now=state.now + 1)
    for number, clock in enumerate(state.clocks):
        for name, after in _steps_of(number, clock, state, rules):
            yield f"clock {number} {name}", after
        if state.faults:
            worse = state._replace(faults=state.faults - 1)
            for name, after in _faults_of(number, clock, worse, rules):
                yield f"clock {number} {name}", after


def without_faults(state: State, rules: Rules) -> State:
    """Where the living clocks get to if nothing goes wrong any more."""
    for _ in range(100):
        following = _next_without_faults(state, rules)
        if following is None:
            return state
        state = following
    raise AssertionError(f"the clocks never finish: {state}")


def _next_without_faults(state: State, rules: Rules) -> State | None:
    for number, clock in enumerate(state.clocks):
        for _, after in _steps_of(number, clock, state, rules):
            return after
    return state._replace(now=state.now + 1) if state.now < _end(rules) else None


def _end(rules: Rules) -> int:
    """When the last occurrence is due even for a clock whose host is behind."""
    return rules.occurrences - min(0, *rules.offsets)


def _steps_of(number: int, clock: Clock, state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    def now_it_is(changed: Clock, world: State = state) -> State:
        clocks = list(world.clocks)
        clocks[number] = changed
        return world._replace(clocks=tuple(clocks))

    now = state.now + clock.offset
    if clock.alive and not clock.waits and clock.pending <= min(now, rules.occurrences):
        horizon = max(clock.horizon, min(now, rules.occurrences))
        if not clock.failed:
            yield "ticks", now_it_is(_ticked(clock, now, rules))
        if clock.failed or horizon > clock.horizon:
            caught_up = clock._replace(
                horizon=horizon, trimmed=clock.trimmed and horizon == clock.horizon, failed=False
            )
            yield "ticks after a gap", now_it_is(_ticked(caught_up, now, rules))
    if clock.request:
        world, half, reply = _executed(state, clock.request, rules)
        yield (
            "has its request executed",
            now_it_is(clock._replace(request=(), half=half, reply=None if half else reply), world),
        )
    if clock.half:
        world = _second_half(state, clock.half, rules)
        decided = max(world.decided, clock.half[-1][2])
        yield "has the rest executed", now_it_is(clock._replace(half=(), reply=decided), world)
    if clock.lingering:
        world, half, _ = _executed(state, clock.lingering, rules)
        world = _second_half(world, half, rules)
        yield "has an old request executed", now_it_is(clock._replace(lingering=()), world)
    if clock.reply is not None:
        yield "hears the reply", now_it_is(_told(clock, clock.reply, rules))


def _faults_of(
    number: int, clock: Clock, state: State, rules: Rules
) -> Iterator[tuple[str, State]]:
    def now_it_is(changed: Clock) -> State:
        clocks = list(state.clocks)
        clocks[number] = changed
        return state._replace(clocks=tuple(clocks))

    if not clock.alive:
        # The start itself is no fault, but it comes after one, so it needs no budget of its own.
        offset = rules.offsets[number]
        restarted = Clock(
            offset=offset,
            pending=state.decided + 1,
            horizon=max(state.now + offset, 0),
            lingering=clock.lingering,
        )
        yield "starts again", now_it_is(restarted)._replace(faults=state.faults + 1)
        return
    leftover = [clock.lingering]
    if clock.request and not clock.lingering:
        leftover.append(clock.request)
    for lingering in leftover:
        yield "crashes", now_it_is(Clock(alive=False, lingering=lingering))
        if clock.waits:
            failed = clock._replace(
                waits=False, last=0, request=(), half=(), reply=None, trimmed=False, failed=True
            )
            yield "gives up waiting", now_it_is(failed._replace(lingering=lingering))


def _ticked(clock: Clock, now: int, rules: Rules) -> Clock:
    """``Timetable.due`` and ``owed``: take out what is due at ``now``, and send it."""
    # A time that went back leaves a horizon in the future.
    horizon = min(clock.horizon, now, rules.occurrences)
    claims: tuple[Claim, ...] = (("f", clock.pending, clock.pending),)
    trimmed = clock.trimmed
    if clock.pending <= horizon and not clock.trimmed:
        trimmed = True
        if rules.catch_up == "latest":
            claims = (("f", horizon, horizon),)
            if clock.pending < horizon:
                claims = (("m", clock.pending, horizon - 1), *claims)
    return clock._replace(waits=True, last=claims[-1][2], request=claims, trimmed=trimmed)


def _told(clock: Clock, decided: int, rules: Rules) -> Clock:
    """``Loop._settle`` and ``Timetable.advance``; what is in the future is claimed again."""
    return clock._replace(
        offset=0 if rules.judged_by == "server" else clock.offset,
        waits=False,
        last=0,
        reply=None,
        pending=decided + 1,
        trimmed=clock.trimmed and decided >= clock.last,
    )


def _executed(
    state: State, claims: tuple[Claim, ...], rules: Rules
) -> tuple[State, tuple[Claim, ...], int]:
    """``claim.lua``: the world afterwards, what is half done, and the last reply."""
    done: list[Claim] = []
    decided, was_lost = state.decided, False
    for kind, first, last in claims:
        compared = first if rules.guards_first else last
        if rules.guard and (was_lost or decided >= compared):
            was_lost = was_lost or decided < last
            continue
        if rules.judged_by == "server" and last > state.now:
            continue
        decided = last
        done.append((kind, first, last))
    if rules.atomic == "push, then record":
        return _pushed(state, done), tuple(done), decided
    recorded = _recorded(state, done, decided)
    if rules.atomic == "record, then push":
        return recorded, tuple(done), decided
    return _pushed(recorded, done), (), decided


def _second_half(state: State, claims: tuple[Claim, ...], rules: Rules) -> State:
    if not claims:
        return state
    if rules.atomic == "record, then push":
        return _pushed(state, claims)
    return _recorded(state, claims, max(state.decided, claims[-1][2]))


def _recorded(state: State, claims: list[Claim] | tuple[Claim, ...], decided: int) -> State:
    missed = list(state.missed)
    for kind, first, last in claims:
        if kind == "m":
            for at in range(first, last + 1):
                missed[at - 1] += 1
    return state._replace(decided=decided, missed=tuple(missed))


def _pushed(state: State, claims: list[Claim] | tuple[Claim, ...]) -> State:
    fired = list(state.fired)
    for kind, _, last in claims:
        if kind == "f":
            fired[last - 1] += 1
    return state._replace(fired=tuple(fired))
