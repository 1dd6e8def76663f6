"""Descriptions of events, for readers who do not have the schedule file.

A description is one line, ``<since> <JSON>``, without a job's arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast

from redis import Redis

from clock import keys
from clock.connection.errors import server_errors
from clock.errors import RecurrenceError
from clock.ledger.sources import RefusedRow
from clock.ledger.unreadable import READ_ERRORS, readable, reply_about
from clock.ledger.values import flag, maybe_whole, second, text, whole
from clock.recurrence.elapsed import spell_seconds
from clock.recurrence.encoding import decode, encode
from clock.recurrence.jitter import jittered
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.sentence import sentence
from clock.recurrence.zone import Zone, zone
from clock.schedule.event import Event

AT_ONCE = 500
"""Descriptions in one command, some 200 kB: a second over a slow connection."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LONGEST_CACHED = 10_000
"""Characters of a line that is cached; nearly all have some 500."""

_REMOVED = '{"removed":'
_RECURRENCE = ',"recurrence":'


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """An event as its clock read it. Instants are UTC seconds since 1970, durations seconds.

    ``since`` is when it got its present times: it was added, changed, enabled or disabled then.
    ``removed`` is when its schedule file no longer had it. ``file`` is that schedule file, ``path``
    and ``line`` are where it is declared. ``recurrence`` is None where it cannot be encoded
    (``is_published``, see ``clock.ledger.instants``) or was written by another release. ``source``
    is the source of a row, empty for an event of the file; ``refused`` is the mistake of a row that
    is not in force because of it.
    """

    name: str
    since: int
    removed: int | None
    task: str
    rule: str
    sentence: str
    zone: Zone
    queue: str
    file: str
    path: str
    line: int
    enabled: bool
    catch_up: int
    within: int | None
    overlap: str
    stuck_after: int
    expires: int | None
    timeout: int | None
    has_condition: bool
    recurrence: Recurrence | None
    is_published: bool
    source: str = ""
    refused: str = ""
    jitter: int = 0

    def delay(self, recurrence: Recurrence, instant: int, app: str) -> int:
        """Seconds after its time at which the occurrence at ``instant`` (UTC seconds) is due.

        ``recurrence`` is that of the event, as far as it is known, and ``app`` its application.
        """
        delays = jittered(recurrence, self.jitter, self.name, app)
        return 0 if delays is None else delays.delay(instant)


def describe(
    connection: Redis, app: str, file: str, events: Sequence[Event], now: float
) -> Iterator[None]:
    """Write the changed descriptions of ``events``, which are all events of the schedule ``file``,
    some of them at each step.

    Other events of that file in the ledger are marked as removed at ``now``. Raises ServerError.
    """
    key = keys.descriptions(app)
    there = 0
    # In parts, so that a hundred thousand descriptions are never in memory at once.
    for start in range(0, len(events), AT_ONCE):
        with server_errors():
            there = _describe_some(connection, key, file, events[start : start + AT_ONCE], now)
        yield
    with server_errors():
        there = there or connection.hlen(key)
        if there > len(events):
            names = {event.name for event in events}
            gone = _removed(app, connection.hgetall(key), names, file, now)
            if gone:
                connection.hset(key, mapping=gone)


def _describe_some(
    connection: Redis, key: str, file: str, events: Sequence[Event], now: float
) -> int:
    """Describe ``events``; returns how many descriptions there are in all."""
    names = [event.name for event in events]
    before = cast("list[bytes | None]", connection.hmget(key, names))
    changed: dict[Any, Any] = {}
    for event, line in zip(events, before, strict=True):
        body = describe_event(event, file)
        if line is None or line.partition(b" ")[2] != body.encode():
            changed[event.name] = f"{_since(line, body, now)} {body}"
    with connection.pipeline(transaction=False) as pipeline:
        if changed:
            pipeline.hset(key, mapping=changed)
        pipeline.expire(key, keys.TTL)
        pipeline.hlen(key)
        return int(pipeline.execute()[-1])


def parse_descriptions(
    app: str,
    descriptions: Mapping[Any, Any] | None,
    key: Callable[[str], str] = keys.descriptions,
) -> dict[str, Description]:
    """The descriptions in the ledger's hash of them, by event, those of a file in its order. With
    another ``key`` the hash is that one, of rows.
    """
    read = readable(key(app), descriptions, parse_description).values()
    in_order = sorted(read, key=attrgetter("file", "path", "line"))
    return {description.name: description for description in in_order}


def describe_refused(rows: Mapping[str, RefusedRow]) -> dict[str, Description]:
    """The descriptions of refused rows, by name: their times are not known."""
    return {
        name: Description(
            name=name,
            since=row.since,
            removed=None,
            task=row.task,
            rule="",
            sentence="",
            zone=zone("UTC"),
            queue="",
            file=row.file,
            path=row.path,
            line=row.line,
            enabled=False,
            catch_up=0,
            within=None,
            overlap="allow",
            stuck_after=0,
            expires=None,
            timeout=None,
            has_condition=False,
            recurrence=None,
            is_published=False,
            source=row.source,
            refused=row.reason,
        )
        for name, row in rows.items()
    }


def read_descriptions(connection: Redis, app: str) -> dict[str, Description]:
    """The description of every event of a file, removed ones included. Raises ServerError."""
    return parse_descriptions(app, reply_about(keys.descriptions(app), connection.hgetall))


def read_with_rows(connection: Redis, app: str) -> dict[str, Description]:
    """The same, and those of the rows of sources. Raises ServerError."""
    rows = reply_about(keys.rows(app), connection.hgetall)
    return {
        **parse_descriptions(app, rows, keys.rows),
        **read_descriptions(connection, app),
    }


def describe_event(event: Event, file: str, more: Mapping[str, Any] | None = None) -> str:
    """The JSON of a description, with ``more`` fields."""
    job, policy = event.job, event.policy
    body: dict[str, Any] = {
        "task": event.task,
        "rule": event.rule,
        "zone": event.zone.name,
        "queue": job.queue,
        "file": file,
        "path": event.path,
        "line": event.line,
        "enabled": event.enabled,
        "catch_up": policy.catch_up,
        "within": policy.within,
        "overlap": policy.overlap,
        "stuck_after": policy.stuck_after,
        "expires": job.expires,
        "timeout": job.timeout,
        "has_condition": policy.condition is not None,
        **({"jitter": event.jitter} if event.jitter else {}),
        **(more or {}),
    }
    text = encode(event.recurrence)
    if text is None:
        body["sentence"] = sentence(event.recurrence)
        body["identity"] = event.identity()
        return _encode(body)
    # The recurrence is JSON already; inside a JSON string its quotes would be escaped.
    return f"{_encode(body)[:-1]}{_RECURRENCE}{text}}}"


def _since(line: bytes | None, body: str, now: float) -> int:
    """Since when the event has the times of ``body``; ``line`` is its line in the ledger."""
    if line is None:
        return int(now)
    since, _, stored = line.partition(b" ")
    try:
        before, after = json.loads(stored), json.loads(body)
        is_same = "removed" not in before and all(
            before.get(field) == after.get(field) for field in ("recurrence", "identity", "enabled")
        )
        return second(since) if is_same else int(now)
    except READ_ERRORS:
        return int(now)


def _removed(
    app: str, descriptions: Mapping[Any, Any], names: Collection[str], file: str, now: float
) -> dict[Any, Any]:
    gone: dict[Any, Any] = {}
    ours = readable(keys.descriptions(app), descriptions, lambda _event, line: line)
    for event, line in ours.items():
        since, _, body = line.partition(" ")
        if event in names or body.startswith(_REMOVED):
            continue
        if f',"file":{_encode(file)},' in body:
            gone[event] = f"{since} {_REMOVED}{int(now)},{body[1:]}"
    return gone


def parse_description(name: str, line: str) -> Description:
    """The description in a line of the event ``name``. Raises ``READ_ERRORS``."""
    return _cached(name, line) if len(line) <= _LONGEST_CACHED else _read(name, line)


@lru_cache(maxsize=16_384)
def _cached(name: str, line: str) -> Description:
    return _read(name, line)


def _read(name: str, line: str) -> Description:
    since, _, body = line.partition(" ")
    head, mark, tail = body.partition(_RECURRENCE)
    fields = json.loads(head + "}" if mark else head)
    recurrence = _recurrence(tail[:-1]) if mark else None
    fields.setdefault("removed", None)
    if "sentence" not in fields:
        fields["sentence"] = fields["rule"] if recurrence is None else _sentence(recurrence)
    jitter = whole(fields.get("jitter", 0))
    if jitter > 0:
        fields["sentence"] += f", each time up to {spell_seconds(jitter)} later"
    return Description(
        name=name,
        since=second(since),
        jitter=max(jitter, 0),
        recurrence=recurrence,
        is_published="identity" in fields,
        source=text(fields.get("source", "")),
        zone=zone(text(fields["zone"])),
        # A later release may write more fields.
        **{field: check(fields[field]) for field, check in _CHECKS.items()},
    )


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("task", "rule", "sentence", "queue", "file", "path", "overlap"), text),
    **dict.fromkeys(("removed", "within", "expires", "timeout"), maybe_whole),
    **dict.fromkeys(("line", "catch_up", "stuck_after"), whole),
    **dict.fromkeys(("enabled", "has_condition"), flag),
}


def _sentence(recurrence: Recurrence) -> str:
    try:
        return sentence(recurrence)
    except Exception:  # its parts may hold any value
        raise ValueError("not a recurrence") from None


def _recurrence(text: str) -> Recurrence | None:
    try:
        return decode(text)
    except RecurrenceError:
        return None
