"""Trouble is said once, and once an hour with how often it came."""

from __future__ import annotations

import pytest

from clock.loop.trouble import Trouble


def test_the_same_kind_of_trouble_is_said_once_whatever_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble()
    for second in range(1500):
        for key in ("one", "two"):
            trouble.log(key, {"event": key, "reason": f"it is {second}"}, second)
        trouble.log_repeats(second)
    assert _fields(caplog) == [
        {"event": "one", "reason": "it is 0"},
        {"event": "two", "reason": "it is 0"},
    ]


def test_trouble_of_another_kind_is_said_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    for kind in ("condition", "times", "condition", "times"):
        trouble.log((0, kind), {"reason": kind}, 0)
    assert [each["reason"] for each in _fields(caplog)] == ["condition", "times"]


def test_an_hour_later_it_is_said_again_with_its_count_and_its_latest_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble()
    for second in range(7300):
        if second % 10 == 0:
            trouble.log("x", {"reason": f"it is {second}"}, second)
        trouble.log_repeats(second)
    assert _fields(caplog) == [
        {"reason": "it is 0"},
        {"reason": "it is 3600", "count": 360},
        {"reason": "it is 7200", "count": 360},
    ]


def test_what_came_once_is_not_said_again(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    trouble.log("x", {"reason": "one"}, 0)
    for second in range(0, 10_000, 60):
        trouble.log_repeats(second)
    trouble.log("x", {"reason": "two"}, 10_000)
    assert [each["reason"] for each in _fields(caplog)] == ["one", "two"]


def test_a_wall_clock_that_goes_back_a_little_forgets_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble()
    for second in (100, 101):
        trouble.log("x", {"reason": "one"}, second)
        trouble.log_repeats(second - 0.5)
    assert len(_fields(caplog)) == 1


def test_a_wall_clock_set_back_does_not_silence_it(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    for second in (0, -5000, -4999):
        trouble.log("x", {"reason": "one"}, second)
        trouble.log_repeats(second)
    assert _fields(caplog) == [{"reason": "one"}, {"reason": "one", "count": 1}]


def _fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.__dict__["fields"] for record in caplog.records]
