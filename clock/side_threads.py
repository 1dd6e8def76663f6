"""Side threads: what users wrote runs beside the loop of a clock, so that it makes nobody late."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import NamedTuple

from clock.bell import Bell
from clock.errors import words_of
from clock.inside import inside_the_clock


class Answer(NamedTuple):
    """What a function returned, or the words of what it raised."""

    key: Hashable
    value: object
    error: str | None = None


class SideThreads:
    """Runs each function in a daemon thread of its own, at most one for a key at any moment.

    There is no pool: a function that never returns costs its key, and nobody else a place. A
    process may end while one runs.
    """

    def __init__(self) -> None:
        self.bell = Bell()
        """Rings when there is an answer."""
        self._running: set[Hashable] = set()
        self._answers: deque[Answer] = deque()

    def __len__(self) -> int:
        """How many functions run, or have an answer that was not taken."""
        return len(self._running)

    @property
    def has_answers(self) -> bool:
        """Whether there is an answer to take."""
        return bool(self._answers)

    def is_running(self, key: Hashable) -> bool:
        """Whether the function of ``key`` runs, or its answer was not taken."""
        return key in self._running

    def start(self, key: Hashable, function: Callable[[], object], name: str) -> None:
        """Run ``function``; its answer comes under ``key``, for which nothing may run yet.

        ``name`` is the thread's, for whoever looks at the process.
        """
        self._running.add(key)
        thread = threading.Thread(target=self._run, args=(key, function), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the host gives no more threads
            self._answer(Answer(key, None, words_of(error)))

    def answers(self, most: int) -> list[Answer]:
        """Take up to ``most`` answers, in the order in which they came."""
        if not self._running:
            return []
        self.bell.hush()
        taken = [self._answers.popleft() for _ in range(min(most, len(self._answers)))]
        if self._answers:
            self.bell.ring()
        for answer in taken:
            self._running.discard(answer.key)
        return taken

    def _run(self, key: Hashable, function: Callable[[], object]) -> None:
        try:
            with inside_the_clock():
                answer = Answer(key, function())
        except BaseException as error:  # sys.exit() and KeyboardInterrupt are of this thread alone
            answer = Answer(key, None, words_of(error))
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self._answers.append(answer)
        self.bell.ring()
