"""The lives of clocks: which processes claimed for an application, from when to when.

A clock writes its own life from its loop, so a life shows when a clock was working, and the time
between lives when none was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from redis import Redis
from redis.client import Pipeline

from clock import keys
from clock.connection.errors import server_errors
from clock.ledger.unreadable import readable, reply_about
from clock.ledger.values import instant, text, whole

BEAT_EVERY = 5.0
"""Seconds between two heartbeats of a clock."""

ALIVE_WITHIN = 15.0
"""Seconds after its last heartbeat for which a clock counts as alive: one may get lost, and a tick
may take some seconds."""

GAPS = 50
"""Gaps kept of a life, the latest."""


class Conflict(NamedTuple):
    """Another clock, by its token, whose declarations of ``number`` events differ; ``events`` names
    some of them.
    """

    token: str
    number: int
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One clock process. Instants are UTC seconds since 1970 by its host's wall clock.

    ``file`` is the schedule file as it was named, ``events`` the number of its events.
    ``last_tick`` is the end of its last complete pass over what was due, to within ``BEAT_EVERY``.
    ``stopped`` is when it was stopped, None where it runs or died. In ``gaps`` it was suspended, or
    the server was away: the ticks before and after each. ``declares`` is the digest of its
    declarations (see ``clock.ledger.declarations``), empty where it is not known; ``conflicts`` are
    the clocks it disagrees with. ``sources`` names the sources that it declares. ``beats`` is the
    number of its heartbeats.
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
    declares: str = ""
    conflicts: tuple[Conflict, ...] = ()
    sources: tuple[str, ...] = ()
    beats: int = field(default=0, compare=False)

    def is_alive(self, now: float, within: float = ALIVE_WITHIN) -> bool:
        """Whether it has not stopped, and ticked less than ``within`` seconds before ``now``.

        A tick as long after ``now`` was written while the clock's host was ahead of time.
        """
        return self.stopped is None and abs(now - self.last_tick) < within

    @property
    def there_since(self) -> float:
        """Since when it has worked without a gap, up to its last tick."""
        return self.gaps[-1][1] if self.gaps else self.started

    def spans(self) -> Iterator[tuple[float, float]]:
        """The spans in which it worked: pairs of instants, in order."""
        begin = self.started
        for before, after in self.gaps:
            yield begin, before
            begin = after
        yield begin, self.last_tick


class Heard(NamedTuple):
    """The server's reply to a heartbeat of a clock, or to a look at its life.

    ``is_lost`` says that the server does not have the last heartbeat: it lost data, all of it or
    the latest. ``before`` is the life that the server had, None where it had none. ``pauses`` is
    the ledger's hash of pauses, None where the ACL denies reading it.
    """

    is_lost: bool
    before: Life | None
    pauses: Mapping[bytes, bytes] | None


class Pulse:
    """Writes the life of this clock. Every method raises ServerError; ``last_tick`` then stays.

    Changes of its declarations and conflicts are written with the next heartbeat.
    """

    def __init__(self, connection: Redis, app: str, life: Life) -> None:
        self._connection = connection
        self._app = app
        self._key = keys.clocks(app)
        self._known = 0
        self.life = life

    def begin(self) -> Heard:
        """Write the start, and drop the oldest of more than ``keys.LIVES`` lives."""
        with server_errors():
            lives = parse_clocks(self._app, self._connection.hgetall(self._key))
            others = [life.token for life in lives if life.token != self.life.token]
            if gone := others[keys.LIVES - 1 :]:
                self._connection.hdel(self._key, *gone)
        return self._write(self.life)

    def beat(self, now: float) -> Heard:
        """Write a heartbeat: a complete pass ended at ``now``."""
        return self._write(replace(self.life, last_tick=now, gaps=self._gaps(now)))

    def look(self) -> Heard:
        """Check whether the server still has the last heartbeat; nothing is written."""
        with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
            self._ask(pipeline)
            return self._heard(*pipeline.execute(raise_on_error=False))

    def end(self, now: float) -> None:
        """Write that the clock was stopped."""
        self._write(replace(self.life, last_tick=now, stopped=now, gaps=self._gaps(now)))

    def _gaps(self, now: float) -> tuple[tuple[float, float], ...]:
        before = self.life.last_tick
        if now - before < ALIVE_WITHIN:
            return self.life.gaps
        return (*self.life.gaps, (round(before, 3), round(now, 3)))[-GAPS:]

    def _write(self, life: Life) -> Heard:
        life = replace(life, beats=life.beats + 1)
        # A heartbeat whose reply is lost may have been written: the next one needs another number.
        self.life = replace(self.life, beats=life.beats)
        fields = asdict(life)
        token = fields.pop("token")
        if not life.sources:
            del fields["sources"]
        for name in ("started", "last_tick"):
            fields[name] = round(fields[name], 3)
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
            self._ask(pipeline)
            pipeline.hset(self._key, token, text)
            pipeline.expire(self._key, keys.TTL)
            # The ACL may deny the reads.
            *asked, was_set, was_kept = pipeline.execute(raise_on_error=False)
            for reply in (was_set, was_kept):
                if isinstance(reply, Exception):
                    raise reply
        heard = self._heard(*asked)
        self._known = life.beats
        self.life = life
        return heard

    def _ask(self, pipeline: Pipeline) -> None:
        # The pauses first: where the life still exists after them, they are complete.
        pipeline.hgetall(keys.pauses(self._app))
        pipeline.hget(self._key, self.life.token)

    def _heard(self, pauses: Any, clocks: Any) -> Heard:
        pauses = None if isinstance(pauses, Exception) else pauses
        if isinstance(clocks, Exception):
            return Heard(False, None, pauses)
        lives: list[Life] = (
            [] if clocks is None else parse_clocks(self._app, {self.life.token: clocks})
        )
        before = lives[0] if lives else None
        beats = 0 if before is None else before.beats
        is_lost = beats < self._known
        # A loss is reported once.
        self._known = min(self._known, beats)
        return Heard(is_lost, before, pauses)


def read_clocks(connection: Redis, app: str) -> list[Life]:
    """The lives that are known, the latest last tick first. Raises ServerError."""
    return parse_clocks(app, reply_about(keys.clocks(app), connection.hgetall))


def parse_clocks(app: str, clocks: Mapping[Any, Any] | None) -> list[Life]:
    """The lives in the ledger's hash of clocks, the latest last tick first."""
    lives = readable(keys.clocks(app), clocks, _parse).values()
    return sorted(lives, key=lambda life: life.last_tick, reverse=True)


def _parse(token: str, line: str) -> Life:
    fields = json.loads(line)
    stopped = fields.get("stopped")
    return Life(
        token=token,
        host=text(fields["host"]),
        pid=whole(fields["pid"], 0),
        version=text(fields["version"]),
        file=text(fields["file"]),
        serializer=text(fields["serializer"]),
        zone=text(fields["zone"]),
        events=whole(fields["events"], 0),
        started=instant(fields["started"]),
        last_tick=instant(fields["last_tick"]),
        stopped=None if stopped is None else instant(stopped),
        gaps=tuple((instant(before), instant(after)) for before, after in fields.get("gaps", ())),
        declares=text(fields.get("declares", "")),
        conflicts=tuple(
            Conflict(text(other), whole(number, 0), tuple(map(text, events)))
            for other, number, events in fields.get("conflicts", ())
        ),
        sources=tuple(map(text, fields.get("sources", ()))),
        beats=whole(fields.get("beats", 0), 0),
    )
