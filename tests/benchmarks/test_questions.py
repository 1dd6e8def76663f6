"""Every question about speed can still be asked, and an answer says what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import QUESTIONS
from benchmarks.answer import Answer, Goal
from benchmarks.faults.program import CLOCK
from benchmarks.page import BEGIN, END, record
from benchmarks.plot import Plot
from benchmarks.ratio import Pairs, pairs

PLOT = Plot(file="a.svg", title="a < b", lines={"ours": [(10, 0.001), (1000, 0.02)]})


@pytest.mark.alone
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered(question: str, tmp_path: Path) -> None:
    # A process of its own: it logs as the command does, into nothing.
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks", question, "--quick"],
        cwd=tmp_path,
        env=CLOCK.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert asked.stderr == ""
    assert "goal" in asked.stdout


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(0.8, "met"), (0.79, "accepted"), (0.5, "accepted"), (0.49, "missed"), (None, "not measured")],
)
def test_a_verdict_where_more_is_better(measured: float | None, verdict: str) -> None:
    assert Goal(what="speed", measured=measured, goal=0.8, least=0.5).verdict == verdict


@pytest.mark.parametrize(
    ("measured", "verdict"), [(1.5, "met"), (1.6, "accepted"), (2.0, "accepted"), (2.1, "missed")]
)
def test_a_verdict_where_less_is_better(measured: float, verdict: str) -> None:
    assert Goal(what="cost", measured=measured, goal=1.5, least=2.0).verdict == verdict


def test_pairs_are_measured_in_turns() -> None:
    turns = []

    def one(name: str, took: float) -> float:
        turns.append(name)
        return took

    measured = pairs(2, lambda: one("ours", 1.0), lambda: one("peer", 3.0))
    assert turns == ["ours", "peer", "ours", "peer"]
    assert measured.speed == 3.0


def test_a_ratio_is_that_of_neighbours_not_of_medians() -> None:
    measured = Pairs([1.0, 10.0, 2.0], [2.0, 10.0, 40.0])
    assert measured.speed == 2.0
    assert measured.cost == 0.5


def test_a_plot_is_well_formed_and_shows_every_point() -> None:
    root = ElementTree.fromstring(PLOT.svg())  # noqa: S314 - written two lines above
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 2


def test_a_page_gets_the_results_and_keeps_its_own_text(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    question = ModuleType(
        "question", "Is it fast?\n\nBy looking at it.\n\n``python -m x`` runs it."
    )
    goal = Goal(what="looks", measured=2.0, goal=1.0, least=0.5)
    answer = Answer(goals=[goal], facts=["it looked fast"], plots=[PLOT])
    record(page, [("machine", "a fast one")], {question: answer})
    record(page, [("machine", "a fast one")], {question: answer})
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n## The goals\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| looks | ≥ 1 x | ≥ 0.5 x | 2 x | met |" in text
    assert "## Is it fast?\n\nBy looking at it.\n\n```text\nit looked fast\n" in text
    assert "old" not in text
    assert "python -m x" not in text
    assert (tmp_path / "a.svg").read_text() == PLOT.svg()


def test_a_page_without_its_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("before\n")
    with pytest.raises(ValueError, match="has no"):
        record(page, [], {})
    assert page.read_text() == "before\n"
