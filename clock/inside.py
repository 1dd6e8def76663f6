"""Whether code is run by a clock: a condition, a stream of times, a function of a date.

What waits there is late, so what would wait asks here first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_INSIDE = ContextVar("clock_inside", default=False)
# Not of the process: an application with a clock in one thread may wait in all of its others.


@contextmanager
def inside_the_clock() -> Iterator[None]:
    """What the block runs, in this thread, is run by a clock."""
    token = _INSIDE.set(True)
    try:
        yield
    finally:
        _INSIDE.reset(token)


def is_inside_the_clock() -> bool:
    """Whether a clock runs the code that asks."""
    return _INSIDE.get()
