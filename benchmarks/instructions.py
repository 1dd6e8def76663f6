"""Counting what Python executes: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def instructions(work: Callable[[], object]) -> int:
    """How many instructions of Python's virtual machine ``work`` takes, in this thread.

    What C does, as sorting a list or talking to a server, counts as the one call it is. Work that
    fills caches costs less when it is done again.
    """
    executed = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        nonlocal executed
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        executed += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return executed
