"""What this application does, and when. The tasks are plain functions, in `tasks/`."""

import feeds
import housekeeping
from clock import cron, defaults, every, timezone

# Both hold for this file, and for the files it imports that say nothing else.
timezone("Europe/Berlin")
defaults(queue="default", timeout="5m")

# A ping that waited is no news: one that was not started in time is not run at all.
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
