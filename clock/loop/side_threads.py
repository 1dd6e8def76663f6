"""Side threads: user code runs beside the loop, so that it makes no other event late."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from typing import NamedTuple

import click
from click.globals import pop_context, push_context

from clock.errors import describe_error
from clock.inside import inside_the_clock
from clock.loop.wakeup import Wakeup


class Answer(NamedTuple):
    """What a function returned, or a description of what it raised."""

    key: Hashable
    value: object
    error: str | None = None


class Work(NamedTuple):
    """A function to be run, with its caller's context variables and Click command, which says where
    jobs go that the function enqueues.
    """

    key: Hashable
    function: Callable[[], object]
    name: str
    variables: Context
    command: click.Context | None


IDLE = 10.0
"""Seconds after which a thread with nothing to do ends."""

_BUSY: set[int] = set()
"""The threads of this process in which a function runs, by their identifiers."""


def is_any_busy() -> bool:
    """Whether a function runs in a side thread of this process."""
    return bool(_BUSY)


class SideThreads:
    """Runs functions in daemon threads, at most one for a key at any moment.

    It is not a pool, which could be full: where no thread is free another one starts, so a function
    that never returns blocks its own key only. A process may end while one runs.
    """

    def __init__(self) -> None:
        self.wakeup = Wakeup()
        """Set when there is an answer."""
        self._running: set[Hashable] = set()
        self._work: SimpleQueue[Work] = SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        self._answers: deque[Answer] = deque()

    def is_running(self, key: Hashable) -> bool:
        """Whether the function of ``key`` runs, or its answer was not taken."""
        return key in self._running

    def start(self, key: Hashable, function: Callable[[], object], name: str) -> None:
        """Run ``function`` in the context of the caller. Its answer comes under ``key``, for which
        nothing may run yet. The thread is named after ``name`` meanwhile.
        """
        self._running.add(key)
        with self._lock:
            is_free = self._free > 0
            if is_free:
                self._free -= 1
        if not is_free:
            thread = threading.Thread(target=self._serve, name="clock: side", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the host gives no more threads
                self._answer(Answer(key, None, describe_error(error)))
                return
        command = click.get_current_context(silent=True)
        self._work.put(Work(key, function, name, copy_context(), command))

    def answers(self, most: int) -> list[Answer]:
        """Take up to ``most`` answers, in the order in which they came."""
        if not self._running:
            return []
        self.wakeup.clear()
        taken = [self._answers.popleft() for _ in range(min(most, len(self._answers)))]
        if self._answers:
            self.wakeup.set()
        for answer in taken:
            self._running.discard(answer.key)
        return taken

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=IDLE)
            except Empty:
                with self._lock:
                    # Else something is on its way to it.
                    if self._free:
                        self._free -= 1
                        return
                continue
            threading.current_thread().name = f"clock: {work.name}"
            _BUSY.add(threading.get_ident())
            answer = work.variables.run(_answer_of, work)
            _BUSY.discard(threading.get_ident())
            # Free before its answer is known: whoever reads that may start the next at once.
            with self._lock:
                self._free += 1
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self._answers.append(answer)
        self.wakeup.set()


def _answer_of(work: Work) -> Answer:
    try:
        with inside_the_clock(), _inside_the_command(work.command):
            return Answer(work.key, work.function())
    except BaseException as error:  # sys.exit() and KeyboardInterrupt are of this function alone
        return Answer(work.key, None, describe_error(error))


@contextmanager
def _inside_the_command(command: click.Context | None) -> Iterator[None]:
    """Click knows its command by the thread."""
    if command is None:
        yield
        return
    push_context(command)
    try:
        yield
    finally:
        pop_context()
