"""Whether a clock runs the current code: a condition, a stream of times, a function of a date.

Waiting there makes events late, so whatever would wait checks this first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_INSIDE = ContextVar("clock_inside", default=False)
# Of a context, not of the process: an application with a clock in one thread may wait in others.


@contextmanager
def inside_the_clock() -> Iterator[None]:
    """A clock runs the code of this block, in this thread."""
    token = _INSIDE.set(True)
    try:
        yield
    finally:
        _INSIDE.reset(token)


def is_inside_the_clock() -> bool:
    """Whether a clock runs the calling code."""
    return _INSIDE.get()
