"""The commands by name, and where each one is; only the one that is asked for is imported.

Not in the package ``cli``: it is read before that is imported, which takes time.
"""

from __future__ import annotations

from collections.abc import Sequence

COMMANDS = {
    "init": "clock.cli.init:init_project",
    "import": "clock.cli.importing:import_schedule",
    "check": "clock.cli.check:check",
    "list": "clock.cli.listing:list_events",
    "next": "clock.cli.next:next_occurrences",
    "explain": "clock.cli.explain:explain_events",
    "diff": "clock.cli.diff:diff_schedules",
    "status": "clock.cli.status:status",
    "history": "clock.cli.history:history",
    "why": "clock.cli.why:why_event",
    "run": "clock.cli.run:run_event",
    "pause": "clock.cli.pause:pause_event",
    "resume": "clock.cli.pause:resume_event",
    "put": "clock.cli.rows:put_rows",
    "remove": "clock.cli.rows:remove_row",
    "export": "clock.cli.rows:export_rows",
    "forget": "clock.cli.forget:forget",
    "rewind": "clock.cli.rewind:rewind",
    "restore": "clock.cli.restore:restore_records",
    "backfill": "clock.cli.backfill:backfill",
    "audit": "clock.cli.audit:audit",
    "web": "clock.cli.web:web",
    "dev": "clock.cli.dev:dev",
}

START = "start"
"""The command that runs the clock. A file in its place is enough, so nobody types it."""


def runs_the_clock(words: Sequence[str]) -> bool:
    """Whether the words of a command line ask for the clock itself."""
    return bool(words) and words[0] not in {*COMMANDS, "--help", "--version"}
