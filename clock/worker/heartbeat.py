"""A worker's heartbeats, its children's among them, and what else is due every few seconds.

All of it is done by a thread with a connection of its own, so that a worker that waits for a slow
reply is not taken for dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq.utils import as_text, utcformat

from clock import keys, log
from clock.connection import rq_keys
from clock.connection.errors import CLIENT_ERRORS, server_error
from clock.connection.scripts import script
from clock.worker.execution_owner import OwnedExecution
from clock.worker.step import RQ_KEEPS

BEAT = 4.0
"""Seconds between two heartbeats. Three may be lost before the worker counts as dead."""

TICK = 1.0
"""Seconds between two looks for delayed jobs that are due, and until the next try where a heartbeat
failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answers to heartbeats: whether it still had the worker's last one, whether RQ
    knew the worker, whether it is this worker's turn to look for abandoned jobs, and the executions
    that were taken from its children.
    """

    had_heartbeat: bool
    knew_worker: bool
    is_our_turn: bool
    overtaken: list[str]


def send_heartbeats(
    connection: Redis,
    *,
    name: str,
    owner: str,
    text: str,
    worker_ttl: int,
    children: Sequence[tuple[str, OwnedExecution | None]],
    may_reap: bool,
    job_prefix: str = rq_keys.JOB,
    fields: Mapping[str, str] | None = None,
) -> Answer:
    """Send the heartbeats of a worker and its children once; the arguments are those of
    ``Heartbeat``, and ``fields`` are set in the worker's hash too. Raises what the client raises.
    """
    arguments: list[Any] = []
    for child, owned in children:
        if owned is None:
            arguments += [child, "", "", "", ""]
        else:
            began = repr(owned.began.timestamp())
            arguments += [child, owned.job, owned.execution, owned.queue, began]
    now = datetime.now(UTC)
    had_heartbeat, knew_worker, is_our_turn, overtaken = connection.register_script(
        script("clock.worker", "heartbeat.lua")
    )(
        keys=[keys.heartbeat(owner), rq_keys.WORKER + name, keys.reaper()],
        args=[
            owner,
            text,
            keys.HEARTBEAT_TTL,
            repr(now.timestamp()),
            utcformat(now),
            worker_ttl,
            RQ_KEEPS,
            int(may_reap),
            keys.REAP_EVERY,
            keys.heartbeat(""),
            job_prefix,
            2 * len(fields or {}),
            *(word for field in (fields or {}).items() for word in field),
            *arguments,
        ],
    )
    return Answer(
        had_heartbeat=bool(had_heartbeat),
        knew_worker=bool(knew_worker),
        is_our_turn=bool(is_our_turn),
        overtaken=[as_text(execution) for execution in overtaken],
    )


class Heartbeat(Thread):
    """Says every ``BEAT`` seconds that the worker and its children live."""

    def __init__(
        self,
        connection: Redis,
        *,
        name: str,
        owner: str,
        text: str,
        worker_ttl: int,
        children: Callable[[], Sequence[tuple[str, OwnedExecution | None]]],
        on_overtaken: Callable[[str], None],
        on_unknown: Callable[[Redis], None],
        reap: Callable[[], None],
        at_beat: Sequence[Callable[[Redis], object]] = (),
        at_tick: Sequence[Callable[[Redis], object]] = (),
        since: float | None = None,
        job_prefix: str = rq_keys.JOB,
        fields: Callable[[float], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """``name`` is the worker's and ``owner`` its ``NAME.TOKEN``; ``worker_ttl`` is how many
        seconds RQ keeps it, and ``job_prefix`` what the keys of its jobs begin with. ``children``
        gives the living ones, as ``NAME.TOKEN``, once with each execution that they run.
        ``fields`` gives what else is written into the worker's hash at an instant on that clock.
        ``on_overtaken`` is called with the id of one that was taken away, ``on_unknown`` where RQ
        has forgotten the worker, and ``reap`` when it is this worker's turn to look for abandoned
        jobs. ``since`` is when the server first answered this worker, on ``time.monotonic()``.
        """
        super().__init__(name="clock-heartbeat", daemon=True)
        self._connection = connection
        self._name = name
        self._owner = owner
        self._text = text
        self._worker_ttl = worker_ttl
        self._children = children
        self._on_overtaken = on_overtaken
        self._on_unknown = on_unknown
        self._reap = reap
        self._at_beat = at_beat
        self._at_tick = at_tick
        self._job_prefix = job_prefix
        self._fields = fields
        self._over = Event()
        self._since = since
        self._next = 0.0
        self._run_id: str | None = None
        self._is_away = False
        self._troubles: dict[str, str] = {}

    def run(self) -> None:
        """Beat until the end."""
        while True:
            self.tick(time.monotonic())
            if self._over.wait(TICK):
                return

    def end(self) -> None:
        """Send no more heartbeats."""
        self._over.set()

    def tick(self, now: float) -> None:
        """What is due ``now``, on any clock in seconds that only goes forward."""
        if now >= self._next:
            self._next = now + BEAT
            self.beat(now)
        if not self._is_away:
            for work in self._at_tick:
                self._try("move delayed jobs", partial(work, self._connection))

    def beat(self, now: float) -> None:
        """One heartbeat, and one look for abandoned jobs if it is this worker's turn."""
        # A server that was away, or lost its data, has forgotten every worker. Who has not heard
        # of it for as long as a heartbeat lasts cannot tell the dead from the late.
        may_reap = self._since is not None and now - self._since >= keys.HEARTBEAT_TTL
        try:
            is_first = self._run_id is None
            is_restarted = self._is_restarted()
            answer = send_heartbeats(
                self._connection,
                name=self._name,
                owner=self._owner,
                text=self._text,
                worker_ttl=self._worker_ttl,
                children=self._children(),
                may_reap=may_reap and not is_restarted,
                job_prefix=self._job_prefix,
                fields=self._fields(now),
            )
            if not answer.knew_worker:
                self._on_unknown(self._connection)
        except CLIENT_ERRORS as error:
            self._since, self._next = None, 0.0
            if not self._is_away:
                self._is_away = True
                self._log("server away", reason=str(server_error(error)))
            return
        if self._is_away:
            self._is_away = False
            self._log("server back")
        for execution in answer.overtaken:
            self._on_overtaken(execution)
        if self._since is None or is_restarted or not (answer.had_heartbeat or is_first):
            self._since = now
        elif answer.is_our_turn:
            self._try("look for abandoned jobs", self._reap)
        for work in self._at_beat:
            self._try("look after its jobs", partial(work, self._connection))

    def _is_restarted(self) -> bool:
        """Whether another process of the server answers than at the last look: one that has what a
        snapshot or a replica had, or that has read all of it. The client reconnects silently.
        """
        # Not every server, or what stands before one, has the field, and an ACL may deny INFO.
        try:
            run_id = str(self._connection.info("server").get("run_id", ""))
        except ResponseError:
            run_id = ""
        before, self._run_id = self._run_id, run_id
        return before is not None and before != run_id

    def _try(self, what: str, work: Callable[[], object]) -> None:
        """Do ``work``; an error is logged once, and ends nothing: without this thread the worker
        would count as dead.
        """
        try:
            work()
        except Exception as error:
            reason = f"cannot {what}: {type(error).__name__}: {error}"
            if self._troubles.get(what) != reason:
                self._log("trouble", reason=reason)
            self._troubles[what] = reason
        else:
            self._troubles.pop(what, None)

    def _log(self, message: str, **fields: object) -> None:
        log.warning(message, worker=self._owner, **fields)
