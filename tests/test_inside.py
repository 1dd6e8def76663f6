from __future__ import annotations

import threading
from contextlib import suppress

from clock.inside import inside_the_clock, is_inside_the_clock


def test_only_what_the_block_runs_is_inside() -> None:
    assert not is_inside_the_clock()
    with inside_the_clock():
        assert is_inside_the_clock()
    assert not is_inside_the_clock()
    with suppress(ZeroDivisionError), inside_the_clock():
        raise ZeroDivisionError
    assert not is_inside_the_clock()


def test_the_other_threads_of_an_application_are_outside() -> None:
    found = []
    with inside_the_clock():
        thread = threading.Thread(target=lambda: found.append(is_inside_the_clock()))
        thread.start()
        thread.join()
    assert found == [False]
