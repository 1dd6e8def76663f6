"""Messages are matched with occurrences in favour of the scheduler that sent them."""

from __future__ import annotations

import pytest

from benchmarks.faults.arrivals import match

OCCURRENCES = [0.0, 5.0, 10.0, 15.0, 20.0]


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        pytest.param([0, 5, 10, 15, 20], (0, 0), id="each on time"),
        pytest.param([0.4, 5.3, 10.2, 14.9, 20.4], (0, 0), id="each nearly on time"),
        pytest.param([0, 5, 15, 20], (1, 0), id="one missing"),
        pytest.param([0, 5, 5.1, 10, 15, 20], (0, 1), id="one twice"),
        pytest.param([0, 10, 10.1, 15, 20], (0, 0), id="one made up when the next was due"),
        pytest.param([0, 5, 10, 10.1, 20], (1, 1), id="one too early stands for none"),
        pytest.param([0, 0.1, 20], (3, 1), id="one twice, three missing"),
        pytest.param([0, 5, 10, 15, 20, 21], (0, 1), id="one more"),
    ],
)
def test_arrivals_are_matched(arrivals: list[float], expected: tuple[int, int]) -> None:
    assert match(arrivals, OCCURRENCES, grace=15) == expected
