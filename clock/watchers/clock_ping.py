"""The clock's own ping: the loop runs, the ledger answers, and nothing is wrong."""

from __future__ import annotations

from clock.watchers.ping import Ping, Sender, run_id

EVERY = 60.0
"""Seconds between two pings. Give the receiver a grace of three minutes or so."""


class ClockPing:
    """Pings one URL while a clock runs. No method waits for the receiver."""

    def __init__(self, url: str, token: str, sender: Sender | None = None) -> None:
        """``token`` names the process of the clock."""
        self._url = url
        self._run = run_id(token)
        self._sender = sender or Sender()
        self._last: float | None = None
        self._was_well = True

    def ping(self, now: float, *, is_well: bool) -> None:
        """Send a ping where one is due at ``now`` (UTC seconds since 1970), or ``is_well`` changed:
        whether nothing is overdue, and no other clock in conflict.
        """
        is_due = self._last is None or not 0 <= now - self._last < EVERY
        if not is_due and is_well == self._was_well:
            return
        self._last, self._was_well = now, is_well
        text = "" if is_well else "the clock is alive, and something is wrong; see clock status"
        signal = "" if is_well else "fail"
        self._sender.send(Ping(url=self._url, signal=signal, run=self._run, text=text))
