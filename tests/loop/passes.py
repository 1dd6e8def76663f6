"""Turns of a loop, and what its events' own code has to say meanwhile."""

from __future__ import annotations

from clock.loop.loop import Loop
from tests.live.waiting import wait_for


def take_turn(loop: Loop) -> None:
    """A turn, and as many more as it takes until users' code has answered all it was asked."""
    loop.tick()
    while loop._user_code:
        assert not loop._stop.is_set()
        loop._stop.wait(15.0, loop._user_code.wakeup)
        loop.tick()


def take_turn_of_all(loop: Loop) -> None:
    """A turn like ``take_turn``, after which all that was asked for is published."""
    take_turn(loop)
    if loop._heartbeat is not None:
        threads = loop._heartbeat.housekeeping()._publisher._threads
        while threads._running:
            wait_for("what is asked for is there", lambda: threads._answers)
            take_turn(loop)
