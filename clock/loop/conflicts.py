"""Two clocks that declare one event differently, such as two applications under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from redis import Redis

from clock import log
from clock.ledger.clocks import Conflict, Life, Pulse, read_clocks
from clock.ledger.declarations import (
    Declarer,
    differing,
    digest_of,
    read_declarations,
    write_declarations,
)
from clock.loop.trouble import some_of
from clock.schedule.event import Event

AT_ONCE = 200
"""Events whose declarations are made after one tick: some two milliseconds, which the next waits
for."""

CHECK_EVERY = 30.0
"""Seconds between two readings of the other clocks, at most."""

WRITTEN_EVERY = 86_400
"""Seconds after which the declarations are written again, before they expire."""

REPORTED_EVERY = 3600
"""Seconds after which a conflict that goes on is logged again."""

NAMED = 5
"""Events that a conflict names, and clocks that a life names as in conflict with it."""


class ConflictCheck:
    """Compares the declarations of this clock with those of the other live clocks.

    Where two clocks declare an event differently and both are alive ``after`` seconds after the
    later one started, that is a conflict: it is logged, and recorded in this clock's life.
    """

    def __init__(
        self, connection: Redis, app: str, events: Sequence[Event], serializer: str, after: float
    ) -> None:
        self._connection = connection
        self._app = app
        self._events = events
        self._declarer = Declarer(serializer)
        self._after = after
        self._declarations: list[bytes] = []
        self._text = b""
        self._written: float | None = None
        self._checked: float | None = None
        self._compared: dict[str, list[str]] = {}
        self._reported: dict[str, float] = {}

    @property
    def has_conflict(self) -> bool:
        """Whether there was one at the last check."""
        return bool(self._reported)

    def renew(self) -> None:
        """Write the declarations again: the server lost its data."""
        self._written = None

    def check(self, now: float, pulse: Pulse) -> None:
        """Compare what is due at ``now`` (UTC seconds since 1970); conflicts go into the life of
        ``pulse``, which its next beat writes. Raises ServerError.
        """
        self._declare(now, pulse)
        every = min(CHECK_EVERY, self._after / 2)
        if self._checked is not None and 0 <= now - self._checked < every:
            return
        is_first = self._checked is None
        lives = read_clocks(self._connection, self._app)
        self._checked = now
        others = [life for life in lives if life.token != pulse.life.token and life.is_alive(now)]
        if is_first:
            self._log_other_files(pulse.life, others)
        self._compare(pulse, others, now)

    def _declare(self, now: float, pulse: Pulse) -> None:
        done = len(self._declarations)
        if done < len(self._events):
            part = self._events[done : done + AT_ONCE]
            self._declarations += map(self._declarer.of, part)
            if len(self._declarations) < len(self._events):
                return
        if self._written is not None and 0 <= now - self._written < WRITTEN_EVERY:
            return
        digest, self._text = digest_of(self._declarations)
        write_declarations(self._connection, self._app, digest, self._text)
        self._written = now
        pulse.life = replace(pulse.life, declares=digest)

    def _log_other_files(self, ours: Life, others: Sequence[Life]) -> None:
        for other in others:
            if other.file != ours.file:
                log.info(
                    "other schedule file",
                    file=other.file,
                    host=f"{other.host}:{other.pid}",
                    events=other.events,
                    reason=f"a clock of another file runs for the application {self._app!r} too",
                )

    def _compare(self, pulse: Pulse, others: Sequence[Life], now: float) -> None:
        ours, conflicts = pulse.life, {}
        for other in others:
            is_overlap = now - max(ours.started, other.started) <= self._after
            if is_overlap or not ours.declares or other.declares in {"", ours.declares}:
                continue
            if names := self._differing(other.declares):
                conflicts[other.token] = names
                self._log_conflict(ours, other, names, now)
        for token in [token for token in self._reported if token not in conflicts]:
            del self._reported[token]
            log.info("conflict resolved", other=token.rpartition(":")[0])
        pulse.life = replace(
            ours,
            conflicts=tuple(
                Conflict(token, len(names), tuple(names[:NAMED]))
                for token, names in list(conflicts.items())[:NAMED]
            ),
        )

    def _differing(self, digest: str) -> list[str]:
        """The events that the declarations of that digest declare differently, read once."""
        if digest not in self._compared:
            theirs = read_declarations(self._connection, self._app, digest)
            if theirs is None:
                return []
            self._compared[digest] = differing(self._events, self._text, theirs)
        return self._compared[digest]

    def _log_conflict(self, ours: Life, other: Life, names: Sequence[str], now: float) -> None:
        if 0 <= now - self._reported.get(other.token, -REPORTED_EVERY) < REPORTED_EVERY:
            return
        self._reported[other.token] = now
        log.error(
            "conflict",
            events=some_of(names, NAMED),
            ours=f"{ours.file} on {ours.host}:{ours.pid}",
            theirs=f"{other.file} on {other.host}:{other.pid}",
            reason=f"two clocks of the application {self._app!r} declare them differently, and "
            "each enqueues what is the other's",
            remedy="stop the one that is out of date; two applications need an --app each, and "
            "queues of their own",
        )
