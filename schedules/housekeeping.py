"""Clean-up, at hours when the workers are idle."""

from datetime import timedelta

from clock import defaults, every, timezone

# In UTC no local time is skipped in spring or comes twice in autumn.
timezone("UTC")
defaults(queue="low", timeout=timedelta(minutes=30))

every(
    "day",
    "tasks.cleanup.old_files",
    at="02:30",
    args=["var/reports"],
    kwargs={"older_than_days": 30},
)
every(
    timedelta(hours=6),
    "tasks.cleanup.old_files",
    name="cleanup.before-work",
    args=["var/reports/before-work"],
    kwargs={"older_than_days": 2},
)
