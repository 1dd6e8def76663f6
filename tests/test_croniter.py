"""Which croniter these tests run against: the recurrences are tested with two."""

from __future__ import annotations

import os
from importlib.metadata import version

import croniter


def test_it_is_the_croniter_that_was_asked_for() -> None:
    asked = os.environ.get("CRONITER_MAJOR", "7")
    folder = "croniter6" if asked == "6" else "site-packages"
    assert f"/{folder}/" in (croniter.__file__ or "")
    assert version("croniter").split(".")[0] == asked
