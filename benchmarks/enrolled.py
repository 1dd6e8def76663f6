"""A loop whose events are all enrolled: a start does that in slices, with ticks between them."""

from __future__ import annotations

from clock.loop.loop import Loop


def enrolled(loop: Loop) -> Loop:
    """Tick until every event is enrolled; nothing may be due yet."""
    # While there is more to enrol, a tick asks for the next one at once.
    while loop.tick() == 0:
        pass
    return loop
