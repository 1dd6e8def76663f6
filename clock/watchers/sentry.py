"""Check-ins for Sentry Crons, where ``sentry-sdk`` is installed and the application started it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

FLUSH = 2.0
"""Seconds that a run's last check-in may take to go, once the run has ended."""


def check_in(monitor: str, run: UUID, status: str) -> None:
    """Report to Sentry that ``run`` of ``monitor`` is ``"in_progress"``, ``"ok"`` or ``"error"``.

    Its library sends it from a thread of its own. Nothing happens where there is none, or where it
    was not started.
    """
    sdk = _sdk()
    if sdk is not None:
        sdk.crons.capture_checkin(monitor_slug=monitor, check_in_id=run.hex, status=status)


def flush() -> None:
    """Wait until what was reported is sent, ``FLUSH`` seconds at most."""
    sdk = _sdk()
    if sdk is not None:
        sdk.flush(timeout=FLUSH)


def _sdk() -> Any:
    try:
        import sentry_sdk
        import sentry_sdk.crons
    except ImportError:
        return None
    return sentry_sdk if sentry_sdk.is_initialized() else None
