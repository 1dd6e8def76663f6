"""``source``: what a schedule file may declare, and the mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock.schedule.source import Stored
from tests.schedule.writing import refusal, schedule

ROWS = "def rows(): return []\n"


def test_a_source_has_its_function_and_its_limits(tmp_path: Path) -> None:
    text = "source('a', rows, every='1m', tasks=['x.*', 'y.z'], queues=['q*'], max_events=7)"
    declared = schedule(tmp_path, f"timezone('Asia/Tokyo')\n{ROWS}{text}").sources["a"].declaration
    assert declared.function is not None
    assert declared.function() == []
    assert (declared.every, declared.max_events, declared.line) == (60, 7, 4)
    allowed = [
        name for name in ("x.b", "x.b.c", "y.z", "y.z.a", "xa") if declared.allows_task(name)
    ]
    assert allowed == ["x.b", "x.b.c", "y.z"]
    assert [name for name in ("q", "queue", "other") if declared.allows_queue(name)] == [
        "q",
        "queue",
    ]


def test_a_stored_source_has_no_function(tmp_path: Path) -> None:
    declared = schedule(tmp_path, "source('a', stored(), tasks=['x.*'])").sources["a"].declaration
    assert declared.function is None
    assert declared.allows_queue("any")
    assert repr(Stored()) == "stored()"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source('', rows, tasks=['x.*'])", "must be a string of printable characters"),
        ("source('a', 7, tasks=['x.*'])", "7 cannot be called"),
        ("async def rows(): ...\nsource('a', rows, tasks=['x.*'])", "is an async function"),
        ("source('a', rows, tasks=[])", "tasks=: [] must be a list of patterns, at least one"),
        ("source('a', rows, tasks='x.*')", "must be a list of patterns"),
        ("source('a', rows, tasks=['*'])", "tasks=: '*' is not a dotted name"),
        ("source('a', rows, tasks=['clock.*'])", "allows functions of the clock itself"),
        ("source('a', rows, tasks=['x.*'], queues=[''])", "queues=: ''"),
        ("source('a', rows, tasks=['x.*'], every=0)", "every=: 0 is too short"),
        ("source('a', rows, tasks=['x.*'], max_events=0)", "max_events=: 0 must be a number"),
        ("source('a', rows)", "missing 1 required keyword-only argument: 'tasks'"),
        (
            "source('a', rows, tasks=['x.*'])\nsource('a', rows, tasks=['x.*'])",
            "the source 'a' is declared at",
        ),
        (
            "defaults(if_=lambda t: True)\nsource('a', rows, tasks=['x.*'])",
            "if_= is code, which rows of a source cannot have",
        ),
    ],
)
def test_a_mistake_is_an_error_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, ROWS + text)
    assert message in str(error)
    assert error.line == 2 + len(text.splitlines())
