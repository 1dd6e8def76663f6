"""Functions as the dotted names that a worker imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def function_name(function: Callable[..., Any] | str) -> str:
    """The dotted name. Raises ValueError for a function that no worker can import."""
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", "")
    if "<lambda>" in name:
        raise ValueError("a lambda has no name that a worker could import; give it one with def")
    if not name or "<locals>" in name or function.__module__ == "__main__":
        raise ValueError(f"{name or function!r} is not a function of a module, so no worker has it")
    return f"{function.__module__}.{name}"
