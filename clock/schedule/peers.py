"""The words of other schedulers (Celery, APScheduler, rq-scheduler, Clockwork, Sidekiq, Laravel),
and what is written here in place of each.
"""

from __future__ import annotations

from collections.abc import Iterable

from clock.schedule.option import unknown_option

_PERIOD = (
    "it belongs into the period, as in every('day', ..., at='09:30') or every('0 9 * * *', ...)"
)
_ONCE = "write overlap='skip', so that one job of the event waits or runs at a time"
_END = "write until= with the last date"
_REPEAT = "an event repeats by itself"

COUNTERPARTS = {
    **dict.fromkeys(("timezone", "time_zone", "zone", "use_tz"), "write tz="),
    **dict.fromkeys(("end", "end_date", "end_time", "ends_at", "stop"), "write until="),
    **dict.fromkeys(("begin", "start_date", "start_time", "starts_at", "first"), "write start="),
    "limit": f"an event has no number of runs, {_END}; how many run at once is max_running=",
    "repeat": f"{_REPEAT}, {_END}; how often a failed job is tried again is retry=",
    **dict.fromkeys(
        ("unique", "unique_for", "max_instances", "singleton", "lock", "without_overlapping",
         "dont_overlap", "one_server"), _ONCE),
    "concurrency": "write max_running=",
    "ttl": "write expires=, after which a waiting job is not run; of a result it is result_ttl=",
    **dict.fromkeys(("time_limit", "soft_time_limit", "job_timeout", "max_runtime"),
                    "write timeout="),
    **dict.fromkeys(("misfire_grace_time", "grace_time", "starting_deadline"), "write within="),
    **dict.fromkeys(("coalesce", "catchup", "misfire_policy", "backfill"),
                    "write catch_up='latest', 'all' or 'none'"),
    **dict.fromkeys(("max_jitter", "splay", "random_delay", "delay"),
                    "write jitter=, or spread= for a fixed offset of each event"),
    **dict.fromkeys(("id", "job_id", "key", "title"), "write name="),
    **dict.fromkeys(("cron", "crontab", "schedule", "trigger", "interval", "every", "seconds",
                     "minutes", "hours", "weeks", "minute", "hour", "second", "day", "month",
                     "day_of_month", "month_of_year", "cron_string"), _PERIOD),
    **dict.fromkeys(("day_of_week", "weekday", "weekdays"), "write days="),
    **dict.fromkeys(("func", "function", "task", "job", "class_", "klass", "command"),
                    "it is the second argument, as in every('day', 'tasks.reports.daily')"),
    **dict.fromkeys(("if", "when", "condition", "predicate"), "write if_="),
    **dict.fromkeys(("exclude", "skip_dates", "holidays", "calendar", "unless"), "write except_="),
    **dict.fromkeys(("queue_name", "routing_key"), "write queue="),
    **dict.fromkeys(("retries", "max_retries", "autoretry_for"), "write retry="),
    **dict.fromkeys(("active", "disabled", "status", "paused"), "write enabled=False"),
    **dict.fromkeys(("arguments", "params", "payload"), "write args= or kwargs="),
    **dict.fromkeys(("tags", "labels", "metadata"), "write meta="),
    **dict.fromkeys(("time", "run_at", "times"), "write at="),
    **dict.fromkeys(("skip_first_run", "run_on_start", "next_run_time", "run_immediately"),
                    "leave it out; nothing fires because a clock starts"),
    **dict.fromkeys(("eta", "countdown", "run_date"),
                    "write every(times([...]), ...) for single instants"),
    **dict.fromkeys(("thread", "executor", "jobstore", "replace_existing", "persistent"),
                    "leave it out; the clock only enqueues, and workers run the jobs"),
    "priority": "write at_front=True, or another queue",
}  # fmt: skip
"""A word that is not an option here -> what to do about it."""


def unknown_event_option(name: str, options: Iterable[str]) -> str:
    """The message for a name that ``every`` does not take."""
    if name in COUNTERPARTS:
        return f"unknown option {name!r}; {COUNTERPARTS[name]}"
    return unknown_option(name, options)
