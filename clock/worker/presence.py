"""A worker's signs of life, and its looks for the jobs of those that give none any more.

Both are made by a thread with a connection of its own, so that a worker that waits for its job, or
for a slow reply, is not taken for dead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread

from redis import Redis
from redis.exceptions import RedisError

from clock import keys
from clock.connection.errors import server_error
from clock.worker.hand import Hand

BEAT = 4.0
"""Seconds between two signs of life. Three may be lost before the worker counts as dead."""

BEAT_AGAIN = 1.0
"""Seconds until the next try where one failed."""

log = logging.getLogger("clock")


class Presence(Thread):
    """Says every ``BEAT`` seconds that the worker lives, and looks for abandoned jobs."""

    def __init__(
        self,
        connection: Redis,
        *,
        worker: str,
        value: str,
        hand: Callable[[], Hand | None],
        overtaken: Callable[[Hand], None],
        sweep: Callable[[], None],
        forking: AbstractContextManager[object],
        at_each: Callable[[Redis], None] | None = None,
        since: float | None = None,
    ) -> None:
        """``worker`` is the worker's identity and ``value`` what a person shall find under its key.

        ``hand`` gives the job in hand; ``overtaken`` is called where that was taken from this
        worker. ``sweep`` looks for abandoned jobs, and ``at_each`` is done at each sign of life.
        While the worker forks, it holds ``forking``. ``since`` is when the server first answered
        this worker, on ``time.monotonic()``.
        """
        super().__init__(name="clock-presence", daemon=True)
        self._connection = connection
        self._worker = worker
        self._value = value
        self._hand = hand
        self._overtaken = overtaken
        self._sweep = sweep
        self._at_each = at_each
        self._forking = forking
        self._over = Event()
        self._since = since
        self._run_id: str | None = None
        self._is_away = False
        self._trouble = ""

    def run(self) -> None:
        """Beat until the end."""
        self.beat(time.monotonic())
        while not self._over.wait(BEAT if self._since is not None else BEAT_AGAIN):
            self.beat(time.monotonic())

    def end(self) -> None:
        """Give no more signs of life."""
        self._over.set()

    def beat(self, now: float) -> None:
        """One sign of life, and one look if it is this worker's turn; ``now`` is any clock's time
        in seconds that only goes forward.
        """
        try:
            is_first = self._run_id is None
            has_forgotten = not self._say_alive() and not is_first
            has_forgotten = self._is_restarted() or has_forgotten
        except (RedisError, OSError) as error:
            self._since = None
            if not self._is_away:
                self._is_away = True
                self._say("server away", reason=str(server_error(error)))
            return
        if self._is_away:
            self._is_away = False
            self._say("server back")
        if self._since is None or has_forgotten:
            self._since = now
        # A server that was away, or lost its data, has forgotten every worker. Who has not heard
        # of it for as long as a sign of life lasts cannot tell the dead from the late.
        if now - self._since < keys.HEARTBEAT_TTL:
            return
        try:
            if self._connection.set(keys.reaper(), self._worker, nx=True, ex=keys.REAP_EVERY):
                self._sweep()
        except Exception as error:  # without this thread the worker would count as dead
            reason = f"{type(error).__name__}: {error}"
            if reason != self._trouble:
                self._say("trouble", reason=f"cannot look for abandoned jobs: {reason}")
            self._trouble = reason
        else:
            self._trouble = ""

    def _say_alive(self) -> bool:
        """Give a sign of life; whether the server still had the one before it."""
        hand = self._hand()
        key = keys.heartbeat(self._worker)
        with self._connection.pipeline(transaction=False) as pipeline:
            pipeline.exists(key)
            pipeline.set(key, self._value, ex=keys.HEARTBEAT_TTL)
            had_it, _ = pipeline.execute()
        if hand is not None and hand.is_overtaken(self._connection):
            self._overtaken(hand)
        if self._at_each is not None:
            self._at_each(self._connection)
        return bool(had_it)

    def _is_restarted(self) -> bool:
        """Whether another process of the server answers than at the last look: one that has what a
        snapshot or a replica had, or that has read all of it. The client reconnects silently.
        """
        # Not every server, or what stands before one, has the field.
        run_id = str(self._connection.info("server").get("run_id", ""))
        before, self._run_id = self._run_id, run_id
        return before is not None and before != run_id

    def _say(self, message: str, **fields: object) -> None:
        # A process forked while another thread prints would wait for ever for the lock of stdout.
        with self._forking:
            log.warning(message, extra={"fields": {"worker": self._worker, **fields}})
