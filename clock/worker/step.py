"""A child's line to the server: one round trip ends its last job and takes the next.

The connection is of RESP3 and tracks what its scripts read, so that the server itself tells an idle
child when one of its queues changes: waiting costs no command.
"""

from __future__ import annotations

import os
import select
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from hashlib import sha1
from typing import Any, NamedTuple

from hiredis import pack_command
from redis import Redis
from redis.exceptions import NoScriptError, ResponseError
from rq import Queue
from rq.job import JobStatus
from rq.utils import as_text

from clock import keys
from clock.connection import rq_keys
from clock.connection.client import copy_client
from clock.connection.errors import CLIENT_ERRORS
from clock.connection.scripts import script
from clock.ledger.trends import with_trends
from clock.worker.execution_owner import OwnedExecution
from clock.worker.job_hash import as_rq_writes

SAFETY = 30.0
"""Seconds after which an idle child asks, though it was told nothing: what stands between it and
the server may have lost the notice."""

PATIENCE = 5.0
"""Seconds between two tries to reach a server that is away, at most."""

SUSPENDED = 1.0
"""Seconds between two looks whether workers are still suspended, where the server tells nothing."""

POLL = 0.25
"""Seconds between two questions where the server tells nothing: it is older than Redis 6, or the
ACL denies CLIENT TRACKING."""


class EndResult(StrEnum):
    """What became of an end."""

    NOTHING = ""
    ENDED = "ended"
    OVERTAKEN = "overtaken"
    DEPENDENTS = "dependents"


class TakeResult(StrEnum):
    """What a child that asked for a job got."""

    JOB = "job"
    EMPTY = "empty"
    SUSPENDED = "suspended"
    MORE = "more"
    NOTHING = "none"


class Success(NamedTuple):
    """What RQ writes of a job that succeeded: the ``fields`` of its hash that changed, each before
    its value, and its ``result`` as it is stored, None for nothing, which is kept for ``ttl``
    seconds, -1 for ever. It began and ended at these UTC seconds; ``has_dependencies`` where it
    waited for other jobs.
    """

    fields: Sequence[Any]
    result: bytes | None
    ttl: int
    began: float
    ended: float
    took: float
    has_dependencies: bool


class End(NamedTuple):
    """The end of an execution: what is to be written if it is still this child's, and its job has
    no dependents; ``of_job`` only where the job was not deleted meanwhile. With ``is_put_back``
    its job waits again, and dependents do not matter.
    """

    owned: OwnedExecution
    success: Success | None = None
    of_job: Sequence[Sequence[Any]] = ()
    commands: Sequence[Sequence[Any]] = ()
    is_put_back: bool = False


class Reply(NamedTuple):
    """What a step did. ``queue`` is the name of the one that had the job, ``execution`` the id of
    the one that began ``at`` that instant, and ``fields`` the job's hash.
    """

    ended: EndResult
    taken: TakeResult
    queue: str
    job: str
    execution: str
    at: datetime
    fields: dict[bytes, bytes]
    wrong_queues: Sequence[str] = ()
    errors: Sequence[str] = ()


class Line:
    """The connection of the child ``owner`` (``NAME.TOKEN``) of the worker ``name``."""

    def __init__(
        self, client: Redis, *, name: str, owner: str, text: str, keeps: str, job_prefix: str
    ) -> None:
        """``text`` is what a person finds under its heartbeat; ``keeps`` says what the installed RQ
        stores of executions, see ``step.lua``; the keys of jobs begin with ``job_prefix``.
        """
        self._client = copy_client(client)
        self._name = name
        self._owner = owner
        self._job_prefix = job_prefix
        self._words = (owner, text, keys.HEARTBEAT_TTL, name, RQ_KEEPS, keeps, job_prefix)
        self._queues: list[str] = []
        self._head: tuple[Any, ...] = ()
        self._connection: Any = None
        self._is_notified = False
        self._protocol = 3
        self._keys = (
            rq_keys.WORKER + name,
            keys.heartbeat(owner),
            keys.step(owner),
            rq_keys.SUSPENDED,
        )

    def step(
        self, identifier: str, end: End | None, queues: Sequence[Queue], *, take: bool, again: bool
    ) -> Reply:
        """End and take. ``identifier`` names the step and the execution that it begins; a step
        whose reply was lost is sent ``again`` under the same one, and done once.

        Raises what the client raises; the next step connects anew.
        """
        at = datetime.now(UTC)
        text = as_rq_writes(at)
        try:
            raw = self._ask(
                *self._fixed_words(queues),
                *(identifier, repr(at.timestamp()), text, int(take), int(again)),
                *_words_of(end),
            )
        except ResponseError:
            raise
        except BaseException:
            # Also of a signal: a reply that comes late must not be taken for the next one's.
            self.close()
            raise
        ended, result, queue, job, pairs, wrong, errors = raw
        pairs = iter(pairs)
        fields = dict(zip(pairs, pairs, strict=True))
        if result == b"job":
            fields[b"status"] = b"started"
            fields[b"started_at"] = fields[b"last_heartbeat"] = text.encode()
            fields[b"worker_name"] = self._name.encode()
        return Reply(
            _ENDED[ended],
            _TAKEN[result],
            as_text(queue),
            job.decode("utf-8", "surrogateescape"),
            identifier,
            at,
            fields,
            [key.decode("utf-8", "replace") for key in wrong],
            [error.decode("utf-8", "replace") for error in errors],
        )

    def write_trends(self, words: Sequence[Any]) -> None:
        """Call ``trends.lua`` with its arguments. Raises what the client raises."""
        if self._connection is None:
            self._connect()
        try:
            self._call("EVAL", script("clock.ledger", "trends.lua"), 0, *words)
        except ResponseError:
            raise
        except BaseException:
            self.close()
            raise

    @property
    def is_notified(self) -> bool:
        """Whether the server says when a queue changes."""
        return self._is_notified

    @property
    def descriptor(self) -> int | None:
        """The descriptor that becomes readable then; None where it may be readable already, and
        without a connection.
        """
        connection = self._connection
        try:
            if connection is None or connection.can_read(0):
                return None
        except CLIENT_ERRORS:
            self.close()
            return None
        descriptor: int = connection._sock.fileno()
        return descriptor

    def is_queued(self, job: str) -> bool:
        """Whether the job with this id waits on a queue. Raises what the client raises."""
        status = self._client.hget(self._job_prefix + job, "status")
        return as_text(status or b"") == JobStatus.QUEUED

    def wait(self, stop: int, seconds: float = SAFETY) -> bool:
        """Wait until the server says that something changed, until the descriptor ``stop`` is
        readable, or for ``seconds``; whether the server said so. Raises what the client raises.
        """
        if self._connection is None:
            return False
        if not self._is_notified:
            select.select([stop], [], [], min(POLL, seconds))
            return False
        if self._connection.can_read(0):
            return True
        ready, _, _ = select.select([self._connection._sock, stop], [], [], seconds)
        return self._connection._sock in ready

    def close(self) -> None:
        """Close the connection; the next step makes another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.disconnect()

    def _fixed_words(self, queues: Sequence[Queue]) -> tuple[Any, ...]:
        names = [queue.name for queue in queues]
        if names != self._queues:
            count, listed = len(self._keys) + len(queues), [queue.key for queue in queues]
            self._head = (count, *self._keys, *listed, *self._words, *names)
            self._queues = names
        return self._head

    def _ask(self, *words: Any) -> Any:
        if self._connection is None:
            self._connect()
        source, digest = _script()
        try:
            return self._call("EVALSHA", digest, *words)
        except NoScriptError:
            return self._call("EVAL", source, *words)

    def _call(self, *words: Any) -> Any:
        # What the client does beside packing takes as long as packing.
        self._connection.send_packed_command([pack_command(words)])
        return self._connection.read_response()

    def _connect(self) -> None:
        pool = self._client.connection_pool
        options = pool.connection_kwargs | {"protocol": self._protocol}
        connection = pool.connection_class(**options)
        try:
            connection.connect()
            self._is_notified = self._protocol == 3 and self._track(connection)
        except ResponseError:
            if self._protocol == 2:
                raise
            # The server, or what stands before it, has no HELLO 3.
            self._protocol = 2
            connection.disconnect()
            self._connect()
            return
        except BaseException:
            connection.disconnect()
            raise
        self._connection = connection

    def _track(self, connection: Any) -> bool:
        connection.send_command("CLIENT", "TRACKING", "ON", "NOLOOP")
        try:
            connection.read_response()
        except ResponseError:
            return False
        return True


RQ_KEEPS = 90
"""Seconds RQ keeps an execution after its last heartbeat."""


_ENDED = {result.encode(): result for result in EndResult}
_TAKEN = {result.encode(): result for result in TakeResult} | {b"again": TakeResult.JOB}


def _words_of(end: End | None) -> list[Any]:
    if end is None:
        return [""]
    owned, success = end.owned, end.success
    how = "put back" if end.is_put_back else "succeeded" if success else "ended"
    of_job, count = len(end.of_job), len(end.of_job) + len(end.commands)
    words: list[Any] = [how, owned.job, owned.execution, owned.queue, of_job, count]
    if success is not None:
        fields, result, ttl, began, ended, took, has_dependencies = success
        # RQ counts in whole seconds here.
        score = "+inf" if ttl == -1 else int(ended) + ttl if ttl > 0 else ttl
        words += (ttl, score, b"" if result is None else b64encode(result))
        words += (repr(began), repr(ended), took, int(has_dependencies), len(fields), *fields)
    if count:
        for command in (*end.of_job, *end.commands):
            words.append(len(command))
            words += command
    return words


def new_identifier() -> str:
    """The id of a step, and of the execution that it begins, as RQ makes them."""
    return os.urandom(16).hex()


@cache
def _script() -> tuple[str, str]:
    measure, keep = script("clock.ledger", "count.lua"), script("clock.runs", "output.lua")
    source = with_trends(
        f"local function measure(KEYS, ARGV) {measure}\nend "
        f"local function keep_output(KEYS, ARGV) {keep}\nend {script('clock.worker', 'step.lua')}"
    )
    return source, sha1(source.encode(), usedforsecurity=False).hexdigest()
