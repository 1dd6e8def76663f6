"""The schedule file of the campaign; its clocks run it, and the checker reads the same events."""

from __future__ import annotations

import os
import sys
import time

from clock import cron, defaults, every, timezone
from clock.schedule.event import Occurrence

EVERY_SECOND = int(os.environ.get("FAULTS_EVENTS", "150"))
"""Events that occur every second and make up for everything."""

timezone("UTC")
defaults(catch_up=100_000)


def errs(_occurrence: Occurrence) -> bool:
    raise RuntimeError("this condition never works")


def errs_now_and_then(occurrence: Occurrence) -> bool:
    if occurrence.scheduled_at.second % 7 == 0:
        raise RuntimeError("this condition works on six seconds of seven")
    return occurrence.scheduled_at.second % 2 == 0


def exits(occurrence: Occurrence) -> bool:
    if occurrence.scheduled_at.second % 3 == 0:
        sys.exit()
    return True


def waits(occurrence: Occurrence) -> bool:
    if occurrence.scheduled_at.second % 20 == 0:
        time.sleep(5)
    return True


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
every("1 second", "time.sleep", args=[0], name="errs", if_=errs)
every("1 second", "time.sleep", args=[0], name="errs-now-and-then", if_=errs_now_and_then)
every("1 second", "time.sleep", args=[0], name="exits", if_=exits)
every("1 second", "time.sleep", args=[0], name="waits", if_=waits)
