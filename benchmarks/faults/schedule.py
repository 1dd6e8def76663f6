"""The schedule file of the campaign; its clocks run it, and the checker reads the same events."""

from __future__ import annotations

import os

from benchmarks.faults.conditions import ANSWER, NEVER_ANSWER
from clock import cron, defaults, every, timezone

EVERY_SECOND = int(os.environ.get("FAULTS_EVENTS", "150"))
"""Events that occur every second and make up for everything."""

timezone("UTC")
defaults(catch_up=100_000)


for number in range(EVERY_SECOND):
    every("1 second", "time.sleep", args=[0], name=f"all-{number}")
for number in range(10):
    every("2 seconds", "time.sleep", args=[0], name=f"front-{number}", queue="front", at_front=True)
    rule = cron("*/3 * * * * *", seconds="first")
    every(rule, "time.sleep", args=[0], name=f"cron-{number}", queue="cron")
    every("1 second", "time.sleep", args=[0], name=f"latest-{number}", catch_up="latest")
for number in range(3):
    every("1 second", "time.sleep", args=[0], name=f"none-{number}", catch_up="none")
    every("1 second", "time.sleep", args=[0], name=f"within-{number}", within="2s")
    every("1 second", "time.sleep", args=[0], name=f"expires-{number}", expires="3s")
    every("1 second", "time.sleep", args=[0], name=f"capped-{number}", catch_up=2)
for condition in (*NEVER_ANSWER, *ANSWER):
    name = condition.__name__
    # A cap, since each is asked about one at a time, by clocks that hardly live.
    every("1 second", "time.sleep", args=[0], name=name, if_=condition, catch_up=20)
