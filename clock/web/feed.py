"""The feed: what changes in an application, read once for all who listen."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from clock import log
from clock.errors import ServerError
from clock.observe import objects
from clock.observe.attention_object import attention_object
from clock.observe.changes import Changes, Reading, changes
from clock.observe.formatting import utc_exact
from clock.web.message_ring import Message, MessageRing

READ_EVERY = 2.0
"""Seconds between two readings."""

SHARE = 0.1
"""The part of the time that readings may take: after a slow one the next comes later."""

LISTENERS = 200
"""Listeners at once; ``clock web`` keeps more connections than that."""

NAMED = 200
"""Changed events that one message names."""

MANY = 1000
"""Changed events of one reading that have a message each. Of more, everything is to be read."""

RETRY = 3000
"""Milliseconds until a browser opens a stream again that ended."""

RESET = "reset"
"""The type of the message after which everything is to be read again. All listeners get it."""

KINDS = ("status", "event", "removed", "queues", "changes")
"""The types of messages that a listener chooses from."""


class TooManyListenersError(Exception):
    """There are as many listeners as there may be."""


class Listener:
    """Who listens to ``kinds`` of messages. ``wake`` is called, in any thread, when there may be
    new ones. ``opening`` is how its stream begins, ``at`` the number of the last message that was
    taken or skipped, ``failures`` how many readings had failed when it came.
    """

    def __init__(self, kinds: Collection[str], wake: Callable[[], None], failures: int) -> None:
        self.failures = failures
        self.kinds = frozenset({*kinds, RESET})
        self.wake = wake
        self.opening = b""
        self.at = 0


class Feed:
    """Calls ``read`` every ``READ_EVERY`` seconds in a thread of its own while somebody listens,
    and makes messages of what changed. May be used from any thread.
    """

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read
        self._token = secrets.token_hex(4)
        self._ring = MessageRing()
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        # Held to begin the readings and to end them; who holds it may take the other lock.
        self._turn = threading.Lock()
        self._is_running = False
        self._failures = 0
        self._failure = ServerError("")
        self._last: Reading | None = None
        self._last_begun = 0.0
        self._outdated = 0.0
        self._revision = 0

    def join(self, kinds: Collection[str], wake: Callable[[], None]) -> Listener:
        """A new listener, who hears nothing until ``begin``. Raises TooManyListenersError."""
        listener = Listener(kinds, wake, self._failures)
        with self._lock:
            if len(self._listeners) >= LISTENERS:
                raise TooManyListenersError
            self._listeners.add(listener)
        return listener

    def begin(self, listener: Listener, last: str | None = None) -> None:
        """From here on ``listener`` hears everything, or all since the message with the id
        ``last``. Waits for a reading where nobody listened before. Raises ServerError.
        """
        self._go_on(listener)
        with self._lock:
            known = self._number(last)
            listener.at = self._ring.last if known is None else known
            listener.opening = f"retry: {RETRY}\nid: {self._id(listener.at)}\n\n".encode()
            if last is not None and known is None:
                listener.opening += self._text(RESET, {}, listener.at)

    def leave(self, listener: Listener) -> None:
        """Let a listener go. Nothing is read any more after the last one."""
        with self._lock:
            self._listeners.discard(listener)

    def take(self, listener: Listener) -> bytes | None:
        """Messages that ``listener`` did not take yet; empty if there are none now. None where its
        stream ends: the feed is closed or could not be read, or messages are gone before they were
        taken.
        """
        with self._lock:
            is_there = listener in self._listeners and not self._closed.is_set()
            if not is_there or not self._ring.has_all_after(listener.at):
                return None
            text, listener.at = self._ring.take(listener.at, listener.kinds)
            return text

    def recent(self) -> Reading | None:
        """The last reading, for a page that is asked for because of it; None where it began more
        than ``READ_EVERY`` seconds ago, or before somebody changed something here.
        """
        begun, reading = self._last_begun, self._last
        is_recent = time.perf_counter() - begun <= READ_EVERY and begun > self._outdated
        return reading if is_recent else None

    def outdate(self) -> None:
        """Somebody changed something: what was read before is no longer recent."""
        self._outdated = time.perf_counter()

    def close(self) -> None:
        """End all streams, and read no more."""
        self._closed.set()
        self._end_all()

    def _go_on(self, listener: Listener) -> None:
        """Read, and go on reading in a thread, unless that is done already. Raises ServerError."""
        with self._turn:
            if self._failures != listener.failures:
                # Who waited while a reading failed does not wait for another one.
                raise self._failure.with_traceback(None)
            if self._is_running or self._closed.is_set():
                return
            try:
                self._advance()
            except ServerError as error:
                self._failures, self._failure = self._failures + 1, error
                raise
            self._is_running = True
        threading.Thread(target=self._run, name="clock feed", daemon=True).start()

    def _run(self) -> None:
        pause = READ_EVERY
        while not self._closed.wait(pause):
            if self._is_idle():
                return
            begun = time.perf_counter()
            try:
                self._advance()
            except ServerError as error:
                log.warning("the event stream ends", error=str(error))
                break
            except Exception:
                log.critical("the event stream ends")
                break
            pause = max(READ_EVERY, (time.perf_counter() - begun) / SHARE)
        with self._turn:
            self._is_running = False
            self._end_all()

    def _is_idle(self) -> bool:
        with self._turn, self._lock:
            self._is_running = bool(self._listeners)
            return not self._is_running

    def _end_all(self) -> None:
        with self._lock:
            listeners, self._listeners = self._listeners, set()
        for listener in listeners:
            listener.wake()

    def _advance(self) -> None:
        """Read, and make messages of what changed since the last reading."""
        begun, before = time.perf_counter(), self._last
        reading = self._read()
        # In this order: one that is taken for older than it is is only read again.
        self._last, self._last_begun = reading, begun
        changed = None if before is None else changes(before, reading)
        if not changed:
            return
        self._revision += 1
        # Only one thread at a time adds messages.
        messages = [
            Message(kind, self._text(kind, data, number))
            for number, (kind, data) in enumerate(
                _messages(reading, changed, self._revision), self._ring.last + 1
            )
        ]
        with self._lock:
            for message in messages:
                self._ring.append(message)
            listeners = list(self._listeners)
        for listener in listeners:
            listener.wake()

    def _number(self, last: str | None) -> int | None:
        """The number of the message with the id ``last``, None if what came after it is gone."""
        token, _, digits = (last or "").rpartition("-")
        if token != self._token or not re.fullmatch(r"[0-9]{1,15}", digits):
            return None
        return int(digits) if self._ring.has_all_after(int(digits)) else None

    def _text(self, kind: str, data: Mapping[str, Any], number: int) -> bytes:
        return f"id: {self._id(number)}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()

    def _id(self, number: int) -> str:
        return f"{self._token}-{number}"


def _messages(
    reading: Reading, changed: Changes, revision: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The messages about what changed, each with its type."""
    if len(changed.events) + len(changed.removed) > MANY:
        yield RESET, {}
    else:
        for name in changed.removed:
            yield "removed", {"name": name}
        for name in changed.events:
            yield "event", reading.event(name)
    if changed.status or changed.attention:
        shown = objects.status_object(reading.status)
        yield "status", {**shown, "attention": attention_object(reading.attention)}
    if changed.queues:
        now = reading.status.now
        yield "queues", {"queues": [objects.queue_object(one, now) for one in reading.queues]}
    names = [*changed.removed, *changed.events]
    known = {
        "now": utc_exact(reading.status.now),
        "revision": revision,
        "names": names if len(names) <= NAMED else None,
        "status": changed.status,
        "queues": changed.queues,
        "attention": len(reading.attention),
    }
    yield "changes", known
