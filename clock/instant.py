"""Instants as text."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(instant: int) -> str:
    """``instant`` (UTC seconds since 1970) in ISO 8601 with a Z: ``2026-11-21T04:00:00Z``."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
