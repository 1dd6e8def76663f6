"""Functions that run beside the loop: each in a thread, none in another's way."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Hashable

import pytest

from clock.inside import is_inside_the_clock
from clock.loop.side_threads import Answer, SideThreads
from clock.loop.wakeup import Wakeup
from tests.live.waiting import wait_for


def test_the_answer_comes_under_its_key_and_is_inside_the_clock() -> None:
    threads = SideThreads()
    threads.start("a", is_inside_the_clock, "a")
    assert threads.is_running("a")
    assert _answers(threads, 1) == {"a": (True, None)}
    assert not threads.is_running("a")


def test_functions_that_never_return_keep_nobody_else_from_a_thread() -> None:
    threads, gate = SideThreads(), threading.Event()
    for number in range(100):
        threads.start(number, gate.wait, "hangs")
    threads.start("quick", lambda: "here", "quick")
    assert _answers(threads, 1) == {"quick": ("here", None)}
    assert all(threads.is_running(number) for number in range(100))
    gate.set()
    assert len(_answers(threads, 100)) == 100


def test_a_thread_that_is_free_is_used_again() -> None:
    threads = SideThreads()
    used = set()
    for _ in range(20):
        threads.start("a", threading.get_ident, "a")
        used.add(_answers(threads, 1)["a"][0])
    assert len(used) == 1


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, ValueError])
def test_what_a_function_raises_is_its_answer(error: type[BaseException]) -> None:
    threads = SideThreads()
    threads.start("a", _raising(error("no")), "a")
    assert _answers(threads, 1) == {"a": (None, f"{error.__name__}: no")}


def test_an_error_without_a_text_of_its_own_is_told_by_its_class() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise SystemExit

    threads = SideThreads()
    threads.start("a", _raising(Broken()), "a")
    threads.start("b", _raising(ValueError()), "b")
    assert _answers(threads, 2) == {
        "a": (None, "Broken, whose text cannot be shown"),
        "b": (None, "ValueError"),
    }


def test_a_host_that_gives_no_more_threads_is_an_error_of_the_one_who_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads = SideThreads()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        threads.start("a", int, "a")
    assert _answers(threads, 1) == {"a": (None, "RuntimeError: can't start new thread")}
    threads.start("a", int, "a")
    assert _answers(threads, 1) == {"a": (0, None)}


def test_a_bell_is_readable_from_its_ring_until_it_is_hushed() -> None:
    wakeup = Wakeup()
    wakeup.set()
    assert _is_readable(wakeup)
    wakeup.set()
    wakeup.clear()
    assert not _is_readable(wakeup)
    wakeup.clear()
    wakeup.set()
    assert _is_readable(wakeup)
    wakeup.close()


def test_a_closed_bell_writes_into_nobody_elses_descriptor() -> None:
    wakeup = Wakeup()
    wakeup.fileno()
    wakeup.close()
    other = Wakeup()
    other.fileno()
    wakeup.set()
    assert not _is_readable(other)
    other.close()
    with pytest.raises(ValueError, match="closed"):
        wakeup.fileno()


def _is_readable(wakeup: Wakeup) -> bool:
    return bool(select.select([wakeup], [], [], 0)[0])


def _raising(error: BaseException) -> Callable[[], object]:
    def function() -> object:
        raise error

    return function


def _answers(threads: SideThreads, count: int) -> dict[Hashable, tuple[object, str | None]]:
    found: list[Answer] = []

    def look() -> bool:
        found.extend(threads.answers(count))
        return len(found) >= count

    wait_for(f"{count} answers", look, pause=0.001)
    return {answer.key: (answer.value, answer.error) for answer in found}
