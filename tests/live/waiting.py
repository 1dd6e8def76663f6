"""Waiting for a fact."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

Result = TypeVar("Result")

PAUSE = 0.02
"""Seconds between two looks."""


def wait_for(
    fact: str, look: Callable[[], Result], *, within: float = 15.0, pause: float = PAUSE
) -> Result:
    """Look every ``pause`` seconds until ``look()`` finds something true, and return it; fail,
    naming ``fact``, after ``within`` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        result = look()
        if result:
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within} s: {fact}")
        time.sleep(pause)


def wait_until(instant: float) -> None:
    """Wait until the wall clock shows ``instant`` (UTC seconds since 1970): for what is a time by
    itself, as the length of an outage.
    """
    while (rest := instant - time.time()) > 0:
        time.sleep(min(rest, 0.5))
