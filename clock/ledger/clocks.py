"""The lives of clocks: which processes claimed for an application, from when to when.

A clock writes its own life, from its loop: what is here was seen by a loop that went round. So a
life tells when a clock was there, and the spans between lives when none was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from redis import Redis

from clock.ledger import keys
from clock.ledger.script import server_errors
from clock.ledger.unreadable import execute, readable
from clock.ledger.values import instant, text, whole

BEAT_EVERY = 5.0
"""Seconds between two notes of a clock that it is alive."""

ALIVE_WITHIN = 15.0
"""Seconds after its last note for which a clock counts as alive: one note may get lost, and a tick
may take some seconds."""

GAPS = 50
"""Times a life keeps in which its clock was away, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One clock process. Instants are UTC seconds since 1970, as its host's wall clock had them.

    ``file`` is the schedule file as it was named, ``events`` the number of its events.
    ``last_tick`` is the end of its last whole pass over what was due, known to within
    ``BEAT_EVERY``; ``stopped`` is when it ended because it was asked to, None where it runs or
    died. In ``gaps`` it was suspended, or the server was away: the passes before and after each.
    """

    token: str
    host: str
    pid: int
    version: str
    file: str
    serializer: str
    zone: str
    events: int
    started: float
    last_tick: float
    stopped: float | None = None
    gaps: tuple[tuple[float, float], ...] = ()

    def is_alive(self, now: float, within: float = ALIVE_WITHIN) -> bool:
        """Whether it has not stopped, and ticked less than ``within`` seconds before ``now``."""
        return self.stopped is None and now - self.last_tick < within

    @property
    def there_since(self) -> float:
        """Since when it has been there without a gap, up to its last tick."""
        return self.gaps[-1][1] if self.gaps else self.started

    def spans(self) -> Iterator[tuple[float, float]]:
        """The spans in which it was there: pairs of instants, in order."""
        begin = self.started
        for before, after in self.gaps:
            yield begin, before
            begin = after
        yield begin, self.last_tick


class Pulse:
    """A clock's own hand on its life. Every method raises LedgerError; ``last_tick`` then stays."""

    def __init__(self, connection: Redis, app: str, life: Life) -> None:
        self._connection = connection
        self._app = app
        self._key = keys.clocks(app)
        self.life = life

    def begin(self) -> None:
        """Note the start, and forget the oldest of more than ``keys.LIVES`` lives."""
        with server_errors():
            lives = parse_clocks(self._app, self._connection.hgetall(self._key))
            others = [life.token for life in lives if life.token != self.life.token]
            if gone := others[keys.LIVES - 1 :]:
                self._connection.hdel(self._key, *gone)
        self._write(self.life)

    def beat(self, now: float) -> bool:
        """Note a whole pass that ended at ``now``; whether the life was known until now."""
        return self._write(replace(self.life, last_tick=now, gaps=self._gaps(now)))

    def end(self, now: float) -> None:
        """Note that the clock ends because it was asked to."""
        self._write(replace(self.life, last_tick=now, stopped=now, gaps=self._gaps(now)))

    def _gaps(self, now: float) -> tuple[tuple[float, float], ...]:
        before = self.life.last_tick
        if now - before < ALIVE_WITHIN:
            return self.life.gaps
        return (*self.life.gaps, (round(before, 3), round(now, 3)))[-GAPS:]

    def _write(self, life: Life) -> bool:
        fields = asdict(life)
        token = fields.pop("token")
        for field in ("started", "last_tick"):
            fields[field] = round(fields[field], 3)
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
            pipeline.hset(self._key, token, text)
            pipeline.expire(self._key, keys.TTL)
            was_new, _ = pipeline.execute()
        self.life = life
        return not was_new


def read_clocks(connection: Redis, app: str) -> list[Life]:
    """The lives that are known, the latest last tick first. Raises LedgerError."""
    with server_errors(), connection.pipeline(transaction=False) as pipeline:
        pipeline.hgetall(keys.clocks(app))
        (found,) = execute(pipeline)
    return parse_clocks(app, found)


def parse_clocks(app: str, found: Mapping[Any, Any] | None) -> list[Life]:
    """The lives in the ledger's hash of clocks, the latest last tick first."""
    lives = readable(keys.clocks(app), found, _parse).values()
    return sorted(lives, key=lambda life: life.last_tick, reverse=True)


def absences(lives: Iterable[Life], now: float) -> list[tuple[float, float]]:
    """The spans in which none of ``lives`` was there, from the first life known up to ``now``.

    Each is a pair of instants, in order; a span is longer than ``ALIVE_WITHIN``.
    """
    there = sorted(span for life in lives for span in life.spans())
    found = []
    until = there[0][1] if there else now
    for begin, end in there:
        if begin - until >= ALIVE_WITHIN:
            found.append((until, begin))
        until = max(until, end)
    if now - until >= ALIVE_WITHIN:
        found.append((until, now))
    return found


def _parse(token: str, line: str) -> Life:
    said = json.loads(line)
    stopped = said.get("stopped")
    return Life(
        token=token,
        host=text(said["host"]),
        pid=whole(said["pid"], 0),
        version=text(said["version"]),
        file=text(said["file"]),
        serializer=text(said["serializer"]),
        zone=text(said["zone"]),
        events=whole(said["events"], 0),
        started=instant(said["started"]),
        last_tick=instant(said["last_tick"]),
        stopped=None if stopped is None else instant(stopped),
        gaps=tuple((instant(before), instant(after)) for before, after in said.get("gaps", ())),
    )
