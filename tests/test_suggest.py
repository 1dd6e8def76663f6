from __future__ import annotations

import pytest

from clock.suggest import nearest


@pytest.mark.parametrize(
    ("word", "suggestion"), [("tuseday", "tuesday"), ("monday", "monday"), ("xyz", None)]
)
def test_the_nearest_word_is_suggested(word: str, suggestion: str | None) -> None:
    assert nearest(word, iter(("monday", "tuesday"))) == suggestion


def test_nothing_is_suggested_where_nothing_is_known() -> None:
    assert nearest("monday", []) is None
