"""The files of a new project: what ``clock init`` writes."""

from __future__ import annotations

from collections.abc import Mapping

SCHEDULE = '''\
"""When what runs. `clock check schedule.py` finds mistakes."""

from clock import every, timezone

timezone("UTC")

every("minute", "tasks.say_hello", args=["world"], expires="1m")
every("weekday", "tasks.report", at="9am")
'''

TASKS = '''\
"""What runs: plain functions, which workers call."""


def say_hello(name: str) -> str:
    greeting = f"hello, {name}"
    print(greeting)
    return greeting


def report() -> None:
    print("the report of the day")
'''

SETTINGS = '''\
"""The settings of clock and workers: `-c settings`."""

import os

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
QUEUES = ["default"]
'''

PROCFILE = """\
release: clock check schedule.py -c settings
clock: clock schedule.py -c settings
worker: rq worker -w clock.worker.Worker -c settings
web: clock web --host 0.0.0.0 -c settings
"""

TEST = '''\
"""The schedule fires when it should. Run by pytest, in this folder; needs no server."""

from datetime import UTC, datetime
from itertools import islice

import clock
import tasks


def test_the_report_comes_at_nine_on_weekdays():
    report = clock.load("schedule.py").events["tasks.report"]
    times = report.occurrences(after=datetime(2027, 1, 1, 12, tzinfo=UTC))  # a Friday
    assert list(islice(times, 2)) == [
        datetime(2027, 1, 4, 9, tzinfo=UTC),
        datetime(2027, 1, 5, 9, tzinfo=UTC),
    ]


def test_hello_is_said():
    assert tasks.say_hello("world") == "hello, world"
'''

README = """\
# A schedule

- `schedule.py` says when what runs, `tasks.py` is what runs.
- `clock dev schedule.py` runs everything on this machine: server, clock, worker and web UI. A
  server that is not there is embedded, which needs `pip install "rq-clock[dev]"`.
- `clock check schedule.py` finds mistakes before a deploy does; `python -m pytest` runs the test.
- `Procfile` has the processes of a deploy, `settings.py` their settings. Run one clock, and as many
  workers as needed.
"""

FILES: Mapping[str, str] = {
    "schedule.py": SCHEDULE,
    "tasks.py": TASKS,
    "settings.py": SETTINGS,
    "Procfile": PROCFILE,
    "test_schedule.py": TEST,
    "README.md": README,
}
"""The files by name."""
