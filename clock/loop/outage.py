"""An outage: the server is away, or refuses. It is logged once, and tried again and again."""

from __future__ import annotations

from clock import log
from clock.errors import ServerError

BACK_OFF = (0.0, 0.05, 0.1, 0.2, 0.5)
"""Seconds before the first tries after a failure; from then on, ``LONGEST``."""

LONGEST = 1.0
"""Seconds between two tries, however long it lasts."""


class Outage:
    """The failures in a row, none while all is well."""

    def __init__(self, *, is_start: bool = False) -> None:
        """With ``is_start``, an error that waiting cannot cure is raised until a try succeeds."""
        self._is_start = is_start
        self._failures = 0
        self._kinds: set[str] = set()

    def __bool__(self) -> bool:
        """Whether the last try failed."""
        return self._failures > 0

    def failed(self, error: ServerError) -> float:
        """Note a failure; returns the seconds to wait before the next try. Raises ``error`` itself
        at the start, where it lasts.
        """
        if self._is_start and error.is_lasting:
            raise error
        # Kinds may alternate, and the text of one may differ from try to try: ports, addresses.
        if error.kind not in self._kinds:
            self._kinds.add(error.kind)
            log.error("server away", reason=str(error))
        delay = BACK_OFF[self._failures] if self._failures < len(BACK_OFF) else LONGEST
        self._failures += 1
        return delay

    def over(self) -> None:
        """Note that a try succeeded."""
        if self._failures:
            log.info("server back", tries=self._failures)
        self._failures = 0
        self._kinds.clear()
        self._is_start = False
