"""When messages came to a queue, whoever sent them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq.utils import as_text

PAUSE = 0.05
"""Seconds between two looks."""

Name = Callable[[Redis, str], str]


class Arrivals:
    """Takes every message off a queue, and keeps when it came and of which event it is."""

    def __init__(self, url: str, queue: str, name: Name) -> None:
        """``queue`` is the key of a list; ``name`` tells the event of an entry of it."""
        self.arrived: dict[str, list[float]] = {}
        """Event -> when its messages came, in seconds of the monotonic clock."""
        self._connection = Redis.from_url(
            url, socket_timeout=10, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._queue = queue
        self._name = name
        self._round = 0
        self._is_counted = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Take until stopped, in a thread; a server that is away is asked again."""
        self._thread.start()

    def stop(self) -> None:
        """Take what is left on the server, which must be there, and end."""
        self._stop.set()
        self._thread.join()
        self._take()
        self._take()
        self._connection.close()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            with suppress(RedisError, OSError):
                self._take()

    def _take(self) -> None:
        aside = f"faults:aside:{self._round}"
        if not self._is_counted:
            if not self._connection.exists(aside):
                try:
                    self._connection.renamenx(self._queue, aside)
                except ResponseError as error:
                    if "no such key" in str(error):
                        return
                    raise
            entries = [as_text(entry) for entry in self._connection.lrange(aside, 0, -1)]
            names = [self._name(self._connection, entry) for entry in entries]
            now = time.monotonic()
            for name in names:
                self.arrived.setdefault(name, []).append(now)
            self._is_counted = True
        # What fails here is done again at the next call, and nothing is counted twice.
        self._connection.unlink(aside)
        self._is_counted = False
        self._round += 1


def match(arrivals: Sequence[float], occurrences: Sequence[float], grace: float) -> tuple[int, int]:
    """How many ``occurrences`` no arrival stands for, and how many ``arrivals`` stand for none.

    The first arrival within half a period of an occurrence stands for it; one that is left stands
    for the oldest occurrence that is left, if it comes at most ``grace`` seconds after it.
    """
    half = (occurrences[1] - occurrences[0]) / 2
    missing, left = list(occurrences), []
    for at in sorted(arrivals):
        on_time = next((instant for instant in missing if abs(at - instant) <= half), None)
        if on_time is None:
            left.append(at)
        else:
            missing.remove(on_time)
    doubled = 0
    for at in left:
        late = next((instant for instant in missing if 0 < at - instant <= grace), None)
        if late is None:
            doubled += 1
        else:
            missing.remove(late)
    return len(missing), doubled
