"""The faults of workers: what can be done to them, to their children and to their connections."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.faults import FAULTS, Fault, Strike, World
from benchmarks.faults.proxy import Loss
from benchmarks.faults.slot import Slot

OLD_ENOUGH = 3.0
"""Seconds from the start of a worker after which it is likely to run jobs."""


def _to_worker(act: Callable[[World, Slot], object]) -> Strike:
    def strike(world: World) -> bool:
        ready = [slot for slot in world.workers if slot.is_awake and slot.age > OLD_ENOUGH]
        if not ready:
            return False
        return act(world, world.dice.choice(ready)) is not False

    return strike


def _suspend(world: World, slot: Slot) -> None:
    slot.suspend()
    # Shorter than its heartbeats last: one that is silent for longer counts as dead.
    world.timers.after(world.dice.uniform(0.5, 6), slot.resume)


def _kill_child(world: World, slot: Slot) -> bool:
    fork_servers = _children_of(slot.pid)
    return _kill_one(world, [child for server in fork_servers for child in _children_of(server)])


def _kill_fork_server(world: World, slot: Slot) -> bool:
    is_killed = _kill_one(world, _children_of(slot.pid))
    if is_killed:
        # The worker ends, and says that it was not asked to.
        slot.expect_death()
    return is_killed


def _lose(loss: Loss) -> Strike:
    def arm(_world: World, slot: Slot) -> None:
        assert slot.proxy is not None
        slot.proxy.arm(loss)

    return _to_worker(arm)


def _drop_replies(world: World, slot: Slot) -> None:
    proxy = slot.proxy
    assert proxy is not None
    proxy.drop_every(world.dice.choice([5, 20, 100]))
    world.timers.after(world.dice.uniform(1, 5), lambda: proxy.drop_every(0))


def _kill_one(world: World, pids: list[int]) -> bool:
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(world.dice.choice(pids), signal.SIGKILL)
    return True


def _children_of(pid: int) -> list[int]:
    """The processes that a process has started. Linux only."""
    children: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            children += map(int, tasks.read_text().split())
    return children


OF_WORKERS = (
    Fault("child killed", _to_worker(_kill_child), 0.3, 0.6, at_least=10),
    Fault("forking process killed", _to_worker(_kill_fork_server), 2, 12),
    Fault("worker killed", _to_worker(lambda _, slot: slot.kill()), 2, 4),
    Fault("worker killed in mid-step", _lose(Loss.KILL), 2, 8),
    Fault("worker told to end", _to_worker(lambda _, slot: slot.terminate()), 2, 10),
    Fault("worker suspended", _to_worker(_suspend), 3, 12),
    Fault("step cut in mid-request", _lose(Loss.MID_REQUEST), 0.5, 3),
    Fault("step cut in mid-reply", _lose(Loss.MID_REPLY), 0.5, 3),
    Fault("reply to a step withheld", _lose(Loss.SILENCE), 2, 10),
    Fault("replies to steps dropped", _to_worker(_drop_replies), 2, 10),
)

_OTHERS = {
    "clock killed at any moment": 5,
    "clock killed in mid-claim": 5,
    "server killed at any moment": 50,
    "server suspended": 50,
    "scripts flushed": 10,
}
"""Faults of clocks and of the server, and the seconds between two where all are mixed. For a while
after each of the server's, nobody is judged dead."""

WITH_WORKERS = (
    *OF_WORKERS,
    *(
        replace(fault, alone=3.0, mixed=_OTHERS[fault.name])
        for fault in FAULTS
        if fault.name in _OTHERS
    ),
)
