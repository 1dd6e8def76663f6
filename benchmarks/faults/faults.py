"""The faults: what can be done to clocks, to the server and to what passes between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.faults.proxy import Loss
from benchmarks.faults.server import Breakable
from benchmarks.faults.slot import Slot
from benchmarks.faults.timers import Timers
from benchmarks.faults.wall_clock import WallClock

OLD_ENOUGH = 0.6
"""Seconds from the start of a process after which its clock is likely to work."""

BURST = 0.08
"""Seconds after a whole second in which the clocks claim."""

OFFSETS = (-86_400, -600, -3, 3, 600, 86_400)
"""Seconds by which a host's wall clock is wrong."""


class World(Protocol):
    """What faults happen to."""

    timers: Timers
    dice: Random
    server: Breakable
    slots: list[Slot]
    workers: list[Slot]
    wanted: int

    def stop_clocks(self) -> None:
        """Tell all clocks to end, and wait until they have; nothing else happens meanwhile."""


Strike = Callable[[World], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: ``strike`` does it, and has it undone later; False where it cannot be now.

    ``alone`` and ``mixed`` are the seconds between two strikes, on the average, where it is the
    only kind and where all of them come; ``lasts`` those that one takes, where it is alone.
    Alone it goes on until it has struck ``at_least`` times, however slow the machine is.
    """

    name: str
    strike: Strike
    alone: float
    mixed: float
    lasts: float = 0.0
    at_least: int = 1


def kill(world: World) -> bool:
    """A clock is killed at any moment."""
    slot = _victim(world)
    if slot is None:
        return False
    slot.kill()
    return True


def kill_in_burst(world: World) -> bool:
    """A clock is killed within the first hundredths of a second."""
    slot = _victim(world)
    if slot is None:
        return False
    world.timers.after(until_burst(world.dice), slot.kill)
    return True


def kill_in_claim(world: World) -> bool:
    """A clock is killed when its claim has reached the server and the reply has not come."""
    return _arm(world, Loss.KILL)


def terminate(world: World) -> bool:
    """A clock is told to end within the first hundredths of a second."""
    slot = _victim(world)
    if slot is None:
        return False
    world.timers.after(until_burst(world.dice), slot.terminate)
    return True


def suspend(world: World) -> bool:
    """A clock is stopped for seconds, and goes on as if no time had passed."""
    slot = _victim(world)
    if slot is None:
        return False
    slot.suspend()
    world.timers.after(world.dice.uniform(0.5, 8), slot.resume)
    return True


def change_number(world: World) -> bool:
    """Another number of clocks runs, three as often as one or two."""
    world.wanted = world.dice.choice([1, 2, 3, 3])
    return True


def kill_server(world: World) -> bool:
    """The server is killed, and started again with its append-only file."""
    if not world.server.is_well:
        return False
    world.server.kill()
    world.timers.after(world.dice.choice([0.0, 0.3, 1.0, 2.5]), world.server.start)
    return True


def kill_server_in_burst(world: World) -> bool:
    """The same, within the first hundredths of a second."""
    if not world.server.is_well:
        return False
    world.timers.after(until_burst(world.dice), lambda: kill_server(world))
    return True


def suspend_server(world: World) -> bool:
    """The server falls silent for seconds: less or more than a clock waits for a reply."""
    if not world.server.is_well:
        return False
    world.server.suspend()
    world.timers.after(world.dice.choice([0.3, 1.0, 2.5, 4.0]), world.server.resume)
    return True


def flush_scripts(world: World) -> bool:
    """The server forgets its scripts."""
    if not world.server.is_well:
        return False
    try:
        with Redis.from_url(world.server.url, socket_timeout=2) as connection:
            connection.script_flush()
    except RedisError:
        return False
    return True


def cut_request(world: World) -> bool:
    """A connection is cut when half a claim has passed."""
    return _arm(world, Loss.MID_REQUEST)


def cut_reply(world: World) -> bool:
    """A connection is cut when half the reply has passed."""
    return _arm(world, Loss.MID_REPLY)


def withhold_reply(world: World) -> bool:
    """A reply never comes, on a connection that stays."""
    return _arm(world, Loss.SILENCE)


def drop_replies(world: World) -> bool:
    """For some seconds every second, third or fifth reply is lost with its connection."""
    proxies = [slot.proxy for slot in world.slots if slot.proxy is not None]
    for proxy in proxies:
        proxy.drop_every(world.dice.choice([2, 3, 5]))

    def undo() -> None:
        for proxy in proxies:
            proxy.drop_every(0)

    world.timers.after(world.dice.uniform(1, 5), undo)
    return True


def set_wall_clock(world: World) -> bool:
    """A host's wall clock is wrong for some seconds, and then right again."""
    wall_clock = _wall_clock(world)
    if wall_clock is None:
        return False
    wall_clock.set(world.dice.choice(OFFSETS))
    world.timers.after(world.dice.uniform(2, 10), lambda: wall_clock.set(0))
    return True


def shake_wall_clock(world: World) -> bool:
    """A host's wall clock jumps back and forth, several times a second, and is right again."""
    wall_clock = _wall_clock(world)
    if wall_clock is None:
        return False
    at = 0.0
    for _ in range(world.dice.randint(5, 15)):
        offset = world.dice.choice((0, *OFFSETS))
        world.timers.after(at, partial(wall_clock.set, offset))
        at += world.dice.uniform(0.1, 0.6)
    world.timers.after(at, lambda: wall_clock.set(0))
    return True


WALL_CLOCKS = (
    Fault("wall clock wrong", set_wall_clock, 0.6, 2),
    Fault("wall clock jumping", shake_wall_clock, 2, 7),
)

FAULTS = (
    Fault("clock killed at any moment", kill, 0.4, 0.6),
    Fault("clock killed within the burst", kill_in_burst, 0.5, 1.0),
    Fault("clock killed in mid-claim", kill_in_claim, 0.5, 1.0),
    Fault("clock told to end within the burst", terminate, 1, 8),
    Fault("clock suspended", suspend, 2, 8),
    Fault("another number of clocks", change_number, 1.5, 12),
    Fault("server killed at any moment", kill_server, 2, 15),
    Fault("server killed within the burst", kill_server_in_burst, 2, 15),
    Fault("server suspended", suspend_server, 3, 12),
    Fault("scripts flushed", flush_scripts, 0.5, 7),
    Fault("connection cut in mid-request", cut_request, 0.7, 5),
    Fault("connection cut in mid-reply", cut_reply, 0.7, 5),
    Fault("reply withheld", withhold_reply, 1.5, 9),
    Fault("replies dropped", drop_replies, 3, 10),
    *WALL_CLOCKS,
)


def _victim(world: World) -> Slot | None:
    ready = [slot for slot in world.slots if slot.is_awake and slot.age > OLD_ENOUGH]
    return world.dice.choice(ready) if ready else None


def _wall_clock(world: World) -> WallClock | None:
    """The wall clock of a host, whatever its clock does: it may also start or wake with it."""
    settable = [slot.wall_clock for slot in world.slots if slot.wall_clock is not None]
    return world.dice.choice(settable) if settable else None


def _arm(world: World, loss: Loss) -> bool:
    slot = _victim(world)
    if slot is None or slot.proxy is None:
        return False
    slot.proxy.arm(loss)
    return True


def until_burst(dice: Random) -> float:
    """Seconds until a moment at which clocks claim."""
    now = time.time()
    return 1 - now % 1 + dice.uniform(0, BURST)
