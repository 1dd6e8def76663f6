"""The schedule of this application. The tasks are plain functions in `tasks/`."""

import feeds
import housekeeping
from clock import cron, defaults, every, timezone

# Both apply to this file, and to the files it imports unless they set their own.
timezone("Europe/Berlin")
defaults(queue="default", timeout="5m")

# A late ping is useless: one that did not start within five seconds is not run.
every("5 seconds", "tasks.health.ping", queue="high", timeout="10s", expires="5s", result_ttl="1m")

every("day", "tasks.reports.daily", at=["09:30", "18:00"], retry=3)
every(
    cron("0 7 * * mon-fri"),
    "tasks.reports.daily",
    name="reports.before-work",
    kwargs={"folder": "var/reports/before-work"},
)
every(
    "month",
    "tasks.reports.daily",
    on="last friday",
    at="23:30",
    name="reports.month-end",
    kwargs={"folder": "var/month-end"},
)
