"""The clock's own check that every occurrence is decided in time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

from clock import keys, log
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.ledger.pauses import parse_pauses
from clock.loop.due_queue import DueQueue
from clock.observe.overdue import due_since, following
from clock.recurrence.published import Published
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.user_code import runs_user_code
from clock.schedule.event import Event

AT_ONCE = 500
"""Events read in one round trip, which takes the server less than a millisecond."""

AGAIN = 5
"""Seconds until an event that is overdue is checked again."""

NOT_DUE = 3600
"""Seconds until an event without a next time is checked again: its record may have gone back."""

NAMED = 20
"""Events that one check logs in lines of their own; of more, it logs how many."""


class SelfCheck:
    """Checks for each event that its next time was decided, once that is past by more than
    ``tolerance`` seconds; each is checked at most once in that time.
    """

    def __init__(
        self,
        connection: Redis,
        app: str,
        events: Sequence[Event],
        tolerance: float,
        published: Mapping[str, Published],
    ) -> None:
        """``published`` are the instants, by event, of recurrences that run user code: those are
        not called here, where the loop would wait for them.
        """
        self._connection = connection
        self._app = app
        self._names = (keys.decided(app), keys.pauses(app))
        self._events = [event for event in events if event.enabled]
        self._tolerance = tolerance
        self._published = published
        self._due_queue: DueQueue | None = None
        self._overdue: set[int] = set()

    @property
    def is_overdue(self) -> bool:
        """Whether an event was overdue at its last check."""
        return bool(self._overdue)

    def check(self, now: float, there_since: float) -> None:
        """Check the events whose check is due; a clock has been there since ``there_since``.

        Logs each event once when it becomes overdue and once when it is decided. Raises
        ServerError. Instants are UTC seconds since 1970.
        """
        if self._due_queue is None:
            self._due_queue = self._begun(now)
        rows: list[int] = []
        while len(rows) < AT_ONCE and (at := self._due_queue.soonest()) is not None and at <= now:
            rows.append(self._due_queue.take()[1])
        if not rows:
            return
        overdue: list[tuple[int, int]] = []
        try:
            with server_errors():
                names = [self._events[index].name for index in rows]
                # With its source, which is short: the ACL need not allow SCRIPT LOAD.
                source = script("clock.ledger", "decided.lua")
                replies: Any = self._connection.eval(source, 2, *self._names, *names)
        except BaseException:
            for index in rows:
                self._due_queue.put(index, int(now))
            raise
        for index, decided, line in zip(rows, replies[::2], replies[1::2], strict=True):
            again = self._check(index, decided, line, now, there_since, overdue)
            self._due_queue.put(index, math.ceil(again))
        self._report(overdue)

    def _begun(self, now: float) -> DueQueue:
        """Each event when its next time is past by more than the tolerance."""
        due_queue = DueQueue()
        # By identity: the events keep their recurrences, and many share one.
        coming: dict[int, int | None] = {}
        for index, event in enumerate(self._events):
            recurrence = self._recurrence(event)
            if recurrence is None:
                due_queue.put(index, math.ceil(now + self._tolerance + 1))
                continue
            key = id(recurrence)
            if key not in coming:
                coming[key] = following(recurrence, int(now))
            at = coming[key]
            again = now + NOT_DUE if at is None else at + self._tolerance + 1
            due_queue.put(index, math.ceil(again))
        return due_queue

    def _recurrence(self, event: Event) -> Recurrence | None:
        """When an event is due, without calling user code; None where that is not known yet."""
        if runs_user_code(event.recurrence):
            return self._published.get(event.name)
        return event.recurrence

    def _check(
        self,
        index: int,
        decided: bytes | None,
        line: bytes | None,
        now: float,
        there_since: float,
        overdue: list[tuple[int, int]],
    ) -> float:
        """When to check again; what has become overdue is appended to ``overdue``."""
        recurrence = self._recurrence(self._events[index])
        if decided is None or recurrence is None:
            return now + self._tolerance
        pending = following(recurrence, int(decided))
        if pending is None:
            self._decided(index)
            return now + NOT_DUE
        event, name = self._events[index], self._events[index].name
        delay = event.due_at(pending, self._app) - pending if event.jitter else 0
        pause = None if line is None else parse_pauses(self._app, {name: line}).get(name)
        since = due_since(pending, pause, there_since, delay)
        if since is None:
            self._decided(index)
            return now + self._tolerance
        if now - since <= self._tolerance:
            self._decided(index)
            return since + self._tolerance + 1
        if index not in self._overdue:
            self._overdue.add(index)
            overdue.append((index, pending))
        return now + AGAIN

    def _decided(self, index: int) -> None:
        if index in self._overdue:
            self._overdue.discard(index)
            log.info("caught up", event=self._events[index].name)

    def _report(self, overdue: Sequence[tuple[int, int]]) -> None:
        for index, pending in overdue[:NAMED]:
            event = self._events[index]
            reason = "a clock is alive, and its time passed without a decision"
            at = event.local(pending)
            log.error("overdue", event=event.name, scheduled_at=at, reason=reason)
        if len(overdue) > NAMED:
            log.error("overdue", more=len(overdue) - NAMED)
