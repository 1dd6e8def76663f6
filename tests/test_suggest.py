from __future__ import annotations

import pytest

from clock.suggest import nearest


@pytest.mark.parametrize(
    ("word", "likeness", "found"),
    [
        ("tuseday", 0.6, "tuesday"),
        ("monday", 0.6, "monday"),
        ("xyz", 0.6, None),
        ("day", 0.9, None),
    ],
)
def test_the_nearest_word_is_near(word: str, likeness: float, found: str | None) -> None:
    assert nearest(word, (each for each in ("monday", "tuesday")), likeness=likeness) == found


def test_of_nothing_nothing_is_near() -> None:
    assert nearest("monday", []) is None
