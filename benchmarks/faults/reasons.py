"""Why occurrences were not enqueued, as the ledger records it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq.utils import as_text

from clock import keys
from clock.decision import Decision, Kind
from clock.ledger.record import Record, parse_record

PAUSE = 4.0
"""Seconds between two looks. A history keeps some forty decisions, and no event of the campaign
makes more in this time but those that fire all they missed."""

NO_OCCURRENCE = {kind for kind in Kind if kind.is_enqueued} | {Kind.MANUAL}


class Reasons:
    """Reads the histories again and again, before they are cut."""

    def __init__(self, connection: Redis, app: str) -> None:
        self.decided: dict[str, set[Decision]] = {}
        """Event -> what was decided of occurrences that did not fire."""
        self.pause = threading.Lock()
        """While somebody else has it, nothing is read by itself."""
        self._connection = connection
        self._app = app
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Read until stopped, in a thread; a server that is away is asked again."""
        self._thread.start()

    def stop(self) -> Mapping[str, Record]:
        """Read for the last time, at a server that must be there; the records as they are then."""
        self._stop.set()
        self._thread.join()
        records = self.read()
        self._connection.close()
        return records

    def read(self) -> Mapping[str, Record]:
        """The records of all events, whose reasons are kept."""
        records = parsed(self._connection.hgetall(keys.decided(self._app)))
        self.keep(records)
        return records

    def keep(self, records: Mapping[str, Record]) -> None:
        """Keep the reasons in records that were read elsewhere."""
        for event, record in records.items():
            self.decided.setdefault(event, set()).update(reasons_in(record))

    def turn_over(self) -> Mapping[str, set[Decision]]:
        """What was found since the last call, while ``pause`` is held."""
        decided, self.decided = self.decided, {}
        return decided

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            with suppress(RedisError, OSError), self.pause:
                self.read()


def patient(url: str) -> Redis:
    """A connection that waits for a suspended server, and tries nothing again by itself."""
    return Redis.from_url(
        url, socket_timeout=10, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def parsed(lines: Mapping[Any, Any]) -> dict[str, Record]:
    """The records of all events, from the hash that holds them."""
    return {as_text(event): parse_record(line) for event, line in lines.items()}


def reasons_in(record: Record) -> set[Decision]:
    """What was decided lately of occurrences that did not fire."""
    return {decision for decision in record.history if decision.kind not in NO_OCCURRENCE}
