"""The jobs that a job waits for, and those that wait for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError
from rq.job import Job

from clock.errors import ServerError
from clock.ledger.unreadable import READ_ERRORS, reply_about, skip, texts
from clock.ledger.values import text

MOST = 100
"""Jobs named of each kind, about."""

_LONGEST = 100_000
_LONGEST_ID = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """The ids of the jobs that a job waits for, or waited for, and of those that wait for it."""

    dependencies: tuple[str, ...]
    dependents: tuple[str, ...]


def read_relations(connection: Redis, identifier: str) -> Relations:
    """The relations of the job with this id, in two round trips; no dependents where the ACL denies
    SSCAN. Raises ServerError.
    """
    key = Job.key_for(identifier)
    stored = reply_about(key, connection.hget, "dependency_ids")
    waiting = Job.dependents_key_for(identifier)
    return Relations(
        dependencies=_parse(key, stored),
        dependents=tuple(sorted(texts(waiting, _members(connection, waiting)))[:MOST]),
    )


def _members(connection: Redis, key: str) -> Sequence[Any]:
    """Some members of a set, which may have any number of them."""
    try:
        scanned: tuple[int, Sequence[Any]] | None = reply_about(
            key, partial(connection.sscan, count=MOST)
        )
    except ServerError as error:
        if error.kind != NoPermissionError.__name__:
            raise
        return ()
    return scanned[1] if scanned else ()


def _parse(key: str, stored: bytes | None) -> tuple[str, ...]:
    if not stored:
        return ()
    try:
        return tuple(text(name, _LONGEST_ID) for name in json.loads(text(stored, _LONGEST))[:MOST])
    except READ_ERRORS as error:
        skip(key, error, "dependency_ids")
        return ()
