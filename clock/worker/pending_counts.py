"""What a child has counted of its runs, and not written yet.

A child that runs thousands of jobs a second writes it fifty times a second, with the end of a job.
One that is killed loses what it counted since.
"""

from __future__ import annotations

from clock.ledger.trends import TrendCounts
from clock.runs.counted import CountedRun
from clock.worker.success import TRENDS, Command

EVERY = 0.02
"""Seconds between two writes."""

MOST = 100
"""Queues and events that wait to be written; a script of the server takes few thousand words."""


class PendingCounts:
    """The counts of a child, which writes them for the application ``app``."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._counts = TrendCounts(app)
        self._written = 0.0

    def __len__(self) -> int:
        return len(self._counts)

    def command(self, run: CountedRun) -> Command | None:
        """The command that writes them together with ``run``, for the step that ends it; None where
        others were written just now.
        """
        if 0 <= run.ended - self._written < EVERY and len(self._counts) < MOST:
            return None
        counts = TrendCounts(self._app)
        counts.add_all(self._counts)
        run.add_to(counts)
        return (TRENDS, *counts.words()) if counts else None

    def ended(self, run: CountedRun, command: Command | None) -> None:
        """The end of ``run`` is written, with the ``command`` if there was one."""
        if command is None:
            run.add_to(self._counts)
        else:
            self.written(run.ended)

    def rest(self) -> list[object]:
        """The arguments of ``trends.lua`` that write what is left."""
        return self._counts.words()

    def written(self, now: float) -> None:
        """They are written ``now``, in UTC seconds since 1970."""
        self._counts.clear()
        self._written = now
