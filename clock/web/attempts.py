"""Failed sign-ins, counted for each address: after some the next ones have to wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Attempts of an address that need not wait."""

LONGEST_WAIT = 60.0
"""Seconds; the wait doubles with every failure, from one second on."""

FORGOTTEN_AFTER = 900.0
"""Seconds after which the last failure of an address no longer counts."""

ADDRESSES = 10_000
"""Addresses counted at once; one more drops the one that failed longest ago."""


@dataclass(slots=True)
class _Count:
    failed: int
    last: float
    until: float


class Attempts:
    """The failed sign-ins of the last minutes. One address never makes another one wait.

    Instants are UTC seconds since 1970. Safe to call from several threads.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, address: str, now: float) -> float:
        """Count an attempt as failed until ``succeed``, so that many at once do not pass together.
        Returns 0, or the seconds to wait; then the attempt is not counted and must not be made.
        """
        with self._lock:
            count = self._counts.pop(address, None)
            if count is None or not 0 <= now - count.last < FORGOTTEN_AFTER:
                count = _Count(failed=0, last=now, until=now)
            self._counts[address] = count
            while len(self._counts) > ADDRESSES:
                self._counts.popitem(last=False)
            if count.until > now:
                return count.until - now
            count.failed, count.last = count.failed + 1, now
            if count.failed >= FREE:
                count.until = now + min(2.0 ** (count.failed - FREE), LONGEST_WAIT)
            return 0.0

    def succeed(self, address: str, now: float) -> None:
        """The attempt was no failure. Those before it still count: who may sign in could otherwise
        try other people's passwords in between.
        """
        with self._lock:
            count = self._counts.get(address)
            if count is not None:
                count.failed = max(0, count.failed - 1)
                count.until = min(count.until, now)
