"""The environment of a process under test."""

from __future__ import annotations

import os

_OURS = ("CLOCK_", "RQ_", "REDIS_")


def bare_environment() -> dict[str, str]:
    """This process's environment without what would choose a server, an application or a zone."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in {"TZ", "NO_COLOR", "PYTHONUNBUFFERED"}
    }
