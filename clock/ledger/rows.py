"""The rows in force: the events that sources gave, kept in the ledger for every clock.

Their version grows by one with each change. A change is written only by a clock that has read all
changes before it, so no safety depends on who asks a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from redis import Redis
from rq.utils import as_text

from clock import keys
from clock.connection.errors import server_errors
from clock.connection.scripts import script
from clock.ledger.enrolment import or_server_time
from clock.ledger.job import JobTemplates, job_prefix
from clock.schedule.event import Event

WRITTEN_AT_ONCE = 250
"""Rows in one change; it holds the server for a few milliseconds."""

WRITTEN_BYTES = 262_144
"""Bytes in one change, or those of a single row."""

READ_AT_ONCE = 500
"""Rows that are read in one round trip."""


class Changes(NamedTuple):
    """The names of the rows that changed up to ``version``; ``are_all`` says that those of older
    changes are not known any more, so that all rows have to be read.
    """

    version: int
    names: tuple[str, ...] = ()
    are_all: bool = False


class NewRow(NamedTuple):
    """A row to be written: its event, and the body of its line."""

    event: Event
    body: str


class Rows:
    """The rows in force of one application. Every method raises ServerError."""

    def __init__(self, connection: Redis, *, app: str, serializer: str) -> None:
        self._connection = connection
        self._app = app
        self._templates = JobTemplates(connection, serializer)
        self._write = connection.register_script(
            script("clock.ledger", "rows.lua", include="job.lua")
        )
        self._asker = connection.register_script(script("clock.ledger", "asker.lua"))

    def wait_for_changes(self, known: int, seconds: float) -> Changes:
        """The changes after the version ``known``; waits ``seconds`` for the first at most."""
        key = keys.row_changes(self._app)
        with server_errors():
            # Zero would wait for ever.
            block = int(seconds * 1000) or None
            reply = cast("Any", self._connection.xread({key: f"{known}-0"}, block=block))
            entries = _entries(reply)
            if not entries:
                version = self.version()
                # A server that lost its data, or a part of it, has an older version.
                return Changes(version, are_all=version != known)
        versions = [_version(entry[0]) for entry in entries]
        names = dict.fromkeys(as_text(name) for _, fields in entries for name in fields or ())
        return Changes(versions[-1], tuple(names), are_all=versions[0] != known + 1)

    def version(self) -> int:
        """The version of the rows; 0 where there never was one."""
        with server_errors():
            last = cast("Any", self._connection.xrevrange(keys.row_changes(self._app), count=1))
        return _version(last[0][0]) if last else 0

    def read(self, names: Sequence[str]) -> dict[str, tuple[bytes | None, int | None]]:
        """The line of each row, None where it is not in force, and its last decided occurrence."""
        read: dict[str, tuple[bytes | None, int | None]] = {}
        decided = self._connection.register_script(script("clock.ledger", "decided.lua"))
        hashes = (keys.decided(self._app), keys.pauses(self._app))
        for start in range(0, len(names), READ_AT_ONCE):
            some = names[start : start + READ_AT_ONCE]
            with server_errors():
                lines = cast("Any", self._connection.hmget(keys.rows(self._app), list(some)))
                instants = cast("Any", decided(keys=hashes, args=list(some)))[::2]
            for name, line, instant in zip(some, lines, instants, strict=True):
                read[name] = (line, None if instant is None else int(instant))
        return read

    def names(self) -> list[str]:
        """The names of all rows in force."""
        with server_errors():
            names = cast("Any", self._connection.hkeys(keys.rows(self._app)))
        return [as_text(name) for name in names]

    def may_ask(self, source: str, token: str, started: float) -> bool:
        """Whether the clock ``token``, which started at ``started`` (UTC seconds since 1970), is
        the one that asks ``source`` for the next ``keys.ASKER_TTL`` seconds.
        """
        with server_errors():
            return bool(
                self._asker(
                    keys=[keys.asker(self._app, source)],
                    args=[token, int(started * 1000), keys.ASKER_TTL * 1000],
                )
            )

    def asker(self, source: str) -> tuple[float, str] | None:
        """The clock that asks ``source``: when it started, and its token; None where none does."""
        with server_errors():
            held = self._connection.get(keys.asker(self._app, source))
        if held is None:
            return None
        started, _, token = as_text(held).partition(" ")
        return int(started) / 1000, token

    def let_go(self, source: str, token: str) -> None:
        """Let another clock ask ``source`` at once."""
        asker = self.asker(source)
        if asker is not None and asker[1] == token:
            with server_errors():
                self._connection.delete(keys.asker(self._app, source))

    def write(
        self,
        known: int,
        new: Sequence[NewRow],
        gone: Mapping[str, bool],
        *,
        goes_on: int,
        now: float | None = None,
        stands_at: float | None = None,
    ) -> Iterator[int | None]:
        """Write new and changed rows, and remove those ``gone``; in parts, yielding the version
        after each, None where somebody else changed rows after ``known``.

        ``gone`` says of each name whether no clock may claim it any more, which holds where the
        schedule file does not declare it. A row that comes back within ``goes_on`` seconds goes on;
        a new one stands at ``stands_at``, else at ``now``, else at the server's time.
        """
        for part in _parts(new, gone):
            shapes, arguments = {}, list[Any]()
            for row in part.new:
                template = self._templates.of(row.event)
                shapes[template.shape.digest] = template.shape
                arguments += (
                    *(row.event.name, row.body, row.event.identity(), template.shape.digest),
                    *template.arguments(job_prefix(self._app, row.event.name)),
                )
            instant = "" if stands_at is None else int(stands_at)
            head: list[Any] = [or_server_time(now), keys.TTL, instant]
            head += [known, goes_on, keys.CHANGES, len(shapes)]
            head += [value for shape in shapes.values() for value in shape.arguments()]
            head.append(len(part.gone))
            for name, is_final in part.gone:
                head += (name, "1" if is_final else "")
            with server_errors():
                version = int(cast("Any", self._write(keys=self._keys(), args=head + arguments)))
            if version <= 0:
                yield None
                return
            known = version
            yield version

    def forget(self, now: float, every: int) -> None:
        """Drop what the ledger holds of rows that were removed ``keys.REMOVED_TTL`` seconds before
        ``now``, or ``every`` seconds where that is longer.
        """
        key, before = keys.removed_rows(self._app), now - max(keys.REMOVED_TTL, every)
        with server_errors():
            gone = [
                name
                for name, removed in self._connection.hscan_iter(key, count=1000)
                if int(removed) < before
            ]
            for start in range(0, len(gone), READ_AT_ONCE):
                some = gone[start : start + READ_AT_ONCE]
                with self._connection.pipeline() as pipeline:
                    for of in keys.OF_EVENTS:
                        pipeline.hdel(of(self._app), *some)
                    pipeline.hdel(key, *some)
                    pipeline.execute()

    def _keys(self) -> list[str]:
        of = (
            *(keys.decided, keys.recurrences, keys.templates, keys.shapes),
            *(keys.rows, keys.removed_rows, keys.row_changes),
        )
        return [key(self._app) for key in of]

    def keep(self) -> None:
        """Let the rows live as long as the ledger does."""
        with server_errors(), self._connection.pipeline(transaction=False) as pipeline:
            for key in (keys.rows, keys.removed_rows, keys.row_changes, keys.refused_rows):
                pipeline.expire(key(self._app), keys.TTL)
            pipeline.execute()


class _Part(NamedTuple):
    new: list[NewRow]
    gone: list[tuple[str, bool]]


def _parts(new: Sequence[NewRow], gone: Mapping[str, bool]) -> Iterator[_Part]:
    """The rows of one change after the other; what is removed goes first."""
    names = list(gone.items())
    while len(names) > WRITTEN_AT_ONCE:
        yield _Part([], names[:WRITTEN_AT_ONCE])
        names = names[WRITTEN_AT_ONCE:]
    part, room = _Part([], names), WRITTEN_BYTES
    for row in new:
        size = 2 * len(row.body)
        if part.new and (size > room or len(part.new) == WRITTEN_AT_ONCE):
            yield part
            part, room = _Part([], []), WRITTEN_BYTES
        part.new.append(row)
        room -= size
    if part.new or part.gone:
        yield part


def _entries(reply: Any) -> list[tuple[Any, Any]]:
    """The entries of the only stream of a reply to XREAD, which depends on the protocol."""
    if not reply:
        return []
    if isinstance(reply, dict):
        (entries,) = reply.values()
        return list(entries[0])
    return list(reply[0][1])


def _version(identifier: bytes | str) -> int:
    return int(as_text(identifier).partition("-")[0])
