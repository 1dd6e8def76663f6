"""A scheduler as a program: how it is started, and how one knows what it sends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.conditions import PATIENCE
from benchmarks.faults.work import CHILDREN, QUEUES
from clock import exit_codes

ROOT = Path(__file__).parents[2]
SCHEDULE = Path(__file__).with_name("schedule.py")
WORK_SCHEDULE = Path(__file__).with_name("work_schedule.py")
OTHERS = ("CLOCK_", "RQ_", "REDIS_", "CELERY_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """``command`` gives its words for the address of a server; ``path`` is where it finds modules.

    ``mark`` is in whatever it sends to enqueue something, and in nothing else. Its log is named
    after ``name``. ``ends_with`` are the exit codes with which it ends by itself where it finds no
    server when it starts, which takes ``longest_start`` seconds at most.
    """

    command: Callable[[str], Sequence[str]]
    path: Path
    mark: bytes
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str = "clock"
    ends_with: frozenset[int] = frozenset()
    longest_start: float = 5.0

    def environment(self) -> dict[str, str]:
        """This process's environment, but for what would choose a server or a zone."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
        return kept | {"PYTHONPATH": str(self.path), "TZ": "UTC", **self.variables}


VARIABLES = {"CLOCK_CONDITION_TIMEOUT": str(PATIENCE)}

CLOCK = Program(
    command=lambda url: [sys.executable, "-m", "clock", str(SCHEDULE), "--url", url],
    path=ROOT,
    # Of all the clock sends only a claim names RQ's set of queues.
    mark=b"rq:queues",
    variables=VARIABLES,
)

CLOCK_OF_WORK = Program(
    command=lambda url: [sys.executable, "-m", "clock", str(WORK_SCHEDULE), "--url", url],
    path=ROOT,
    mark=CLOCK.mark,
    variables=VARIABLES,
)

WORKER = Program(
    command=lambda url: [
        *(sys.executable, "-m", "rq.cli", "worker", "-w", "clock.worker.Worker"),
        *("--url", url, *QUEUES),
    ],
    path=ROOT,
    # The key of a child's last step is in each of its steps.
    mark=b"clock:step:",
    variables={"CLOCK_PROCESSES": str(CHILDREN), "CLOCK_LOG": "logfmt"},
    name="worker",
    ends_with=frozenset({1, exit_codes.SERVER}),
    longest_start=10.0,
)

SETTINGS = "settings_of_the_campaign"
"""A module in the folder that its clocks work in."""

CLOCK_BY_SENTINELS = Program(
    command=lambda _url: [sys.executable, "-m", "clock", str(SCHEDULE), "-c", SETTINGS],
    path=ROOT,
    mark=CLOCK.mark,
    variables=VARIABLES,
)
