"""The schedule file of the campaign's workers; its clocks run it, and the checker reads it."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.faults.work import KINDS, PERIOD, QUEUES
from clock import defaults, every, timezone

EVENTS = int(os.environ.get("FAULTS_EVENTS", "90"))

timezone("UTC")
defaults(catch_up=100_000, result_ttl="6h", failure_ttl="6h")

for name, kind in KINDS.items():
    retries: dict[str, Any] = {"retry": kind.retries} if kind.retries else {}
    for number in range(max(1, EVENTS * kind.share // 100)):
        every(
            f"{PERIOD} seconds",
            "benchmarks.faults.work.run",
            args=[kind.seconds, kind.fails],
            name=f"{name}-{number}",
            queue=QUEUES[number % len(QUEUES)],
            **retries,
        )
