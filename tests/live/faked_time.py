"""Processes whose wall clock is wrong, by libfaketime; their monotonic clock is right."""

from __future__ import annotations

import pytest

from benchmarks.faults.wall_clock import libfaketime

needs_libfaketime = pytest.mark.skipif(
    libfaketime() is None, reason="libfaketime is not installed; on Debian: apt install faketime"
)
