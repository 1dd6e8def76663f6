"""The faults of a primary that has a replica, and those of clocks that may come with them."""

from __future__ import annotations

from benchmarks.faults.faults import (
    Fault,
    Strike,
    World,
    change_number,
    flush_scripts,
    kill,
    kill_in_burst,
    suspend,
    terminate,
    until_burst,
)
from benchmarks.faults.pair import Pair

BEHIND = 0.3
"""Seconds before a burst in which a replica stops listening, so that it misses the burst."""


def failovers(pair: Pair) -> tuple[Fault, ...]:
    """The ways in which the primary of ``pair`` loses its place."""
    return (
        Fault("failover coordinated", _fail_over(pair, "COORDINATED"), 4, 14),
        Fault("failover forced", _fail_over(pair), 4, 14),
        Fault("failover to a replica behind", _fail_over_behind(pair), 4, 14),
        Fault("primary killed", _kill_primary(pair), 5, 20),
        Fault("primary suspended", _suspend_primary(pair), 5, 30),
    )


CLOCK_FAULTS = (
    Fault("clock killed at any moment", kill, 0, 2),
    Fault("clock killed within the burst", kill_in_burst, 0, 2),
    Fault("clock told to end within the burst", terminate, 0, 8),
    Fault("clock suspended", suspend, 0, 10),
    Fault("another number of clocks", change_number, 0, 12),
    Fault("scripts flushed", flush_scripts, 0, 7),
)


def _fail_over(pair: Pair, *how: str) -> Strike:
    """A sentinel is told to make the replica the primary."""
    return lambda _world: pair.is_well and pair.sentinels.fail_over(*how)


def _fail_over_behind(pair: Pair) -> Strike:
    """The same, when the replica has not read what the clocks enqueued last."""

    def strike(world: World) -> bool:
        if not pair.is_well:
            return False
        world.timers.after((until_burst(world.dice) - BEHIND) % 1, lambda: fall_behind(world))
        return True

    def fall_behind(world: World) -> None:
        if pair.is_well:
            pair.suspend_replica()
            pair.sentinels.fail_over()
            world.timers.after(BEHIND + world.dice.uniform(0.1, 0.6), pair.resume)

    return strike


def _kill_primary(pair: Pair) -> Strike:
    """The primary is killed, and started again before or after another one took its place."""

    def strike(world: World) -> bool:
        if not pair.is_well:
            return False
        pair.kill()
        world.timers.after(world.dice.choice([0.3, 2.5, 4.0]), pair.start)
        return True

    return strike


def _suspend_primary(pair: Pair) -> Strike:
    """The primary is suspended, and goes on before or after another one took its place."""

    def strike(world: World) -> bool:
        if not pair.is_well:
            return False
        pair.suspend()
        world.timers.after(world.dice.choice([0.5, 3.0, 4.5]), pair.resume)
        return True

    return strike
