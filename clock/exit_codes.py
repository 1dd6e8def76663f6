"""The exit codes of the command, each with what it means."""

from __future__ import annotations

OK = 0
"""Done; for a running clock: stopped because it was asked to."""

SCHEDULE = 1
"""The schedule file has a mistake, so nothing was started and nothing enqueued; or ``clock import``
left something out."""

USAGE = 2
"""The command line, an environment variable or the settings module cannot be used."""

SERVER = 3
"""The server could not be reached, or refused. A running clock waits instead of ending with
this."""

CRASHED = 4
"""Something escaped that should not have; the traceback is on stderr."""

DIFFERENT = 5
"""Two schedules that were compared differ."""

NO_CLOCK = 6
"""No clock is alive, or none of one of the schedule files that have events."""

OVERDUE = 7
"""A clock is alive, but something should have fired and did not, another clock is in conflict with
it, or a source does not answer."""
