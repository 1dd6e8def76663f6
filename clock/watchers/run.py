"""Notifying watchers of one run of an event: that it begins, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from clock.runs.run import RunOutcome
from clock.watchers import sentry
from clock.watchers.ping import TIMEOUT, Ping, Sender, run_id

LONGEST = 2 * TIMEOUT
"""Seconds for which a worker waits at the end of a run until its pings are sent: time for both."""

_SIGNALS = {
    RunOutcome.SUCCEEDED: "",
    RunOutcome.SKIPPED: "",
    RunOutcome.FAILED: "fail",
    RunOutcome.STOPPED: "fail",
}
"""The ping sent for each outcome. A run that is retried sends none: the next one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Who watches which event: ``pings`` are addresses by event, ``monitors`` the slugs of Sentry's
    monitors.
    """

    pings: Mapping[str, str]
    monitors: Mapping[str, str]

    def begin(self, event: str, job: str, attempt: int) -> WatchedRun | None:
        """Notify that a run begins; returns None where nobody watches it. Does not wait."""
        url, monitor = self.pings.get(event), self.monitors.get(event)
        if url is None and monitor is None:
            return None
        run = run_id(f"{job}:{attempt}")
        sender = Sender()
        if url is not None:
            sender.send(Ping(url=url, signal="start", run=run))
        if monitor is not None:
            sentry.check_in(monitor, run, "in_progress")
        return WatchedRun(url=url, monitor=monitor, run=run, job=job, sender=sender)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRun:
    """A run whose begin was notified."""

    url: str | None
    monitor: str | None
    run: UUID
    job: str
    sender: Sender

    def end(self, outcome: RunOutcome, error: str | None) -> None:
        """Notify how it ended, with the class of its error alone; waits for ``LONGEST`` seconds at
        most, and ``sentry.FLUSH`` more for Sentry.
        """
        signal = _SIGNALS.get(outcome)
        if signal is not None and self.monitor is not None:
            sentry.check_in(self.monitor, self.run, "error" if signal else "ok")
        if signal is not None and self.url is not None:
            text = f"{outcome} job={self.job}" + (f" error={error}" if error else "")
            self.sender.send(Ping(url=self.url, signal=signal, run=self.run, text=text))
        self.sender.finish(LONGEST)
        if self.monitor is not None:
            sentry.flush()
