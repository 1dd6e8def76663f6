"""Running the command in this process."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[..., tuple[int, str, str]]
"""Called with the words of a command line; returns exit code, standard output, standard error."""
