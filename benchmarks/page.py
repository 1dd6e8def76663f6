"""The page of results: what a run found, put into `docs/speed.md` between two marks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from benchmarks.answer import Answer, Goal

BEGIN, END = "<!-- written by make bench -->", "<!-- until here -->"

COLUMNS = ("what", "goal", "accepted", "measured", "verdict")


def record(
    page: Path, about: Iterable[tuple[str, str]], answers: Mapping[ModuleType, Answer]
) -> None:
    """Put the answers, each with how it was found, into ``page``, and their plots beside it.

    Raises ValueError where the page has no marks.
    """
    before, begin, rest = page.read_text().partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    written = "".join(f"{line}\n" for line in lines(about, answers))
    page.write_text(before + begin + written + end + after)
    for answer in answers.values():
        for plot in answer.plots:
            (page.parent / plot.file).write_text(plot.svg())


def lines(about: Iterable[tuple[str, str]], answers: Mapping[ModuleType, Answer]) -> Iterator[str]:
    """The part of the page that a run writes, line by line."""
    yield "## The goals"
    yield ""
    yield from table([goal for answer in answers.values() for goal in answer.goals])
    yield ""
    yield "Measured on"
    yield ""
    yield from (f"- {name}: {text}" for name, text in about)
    for question, answer in answers.items():
        title, _, how = (inspect.getdoc(question) or "").partition("\n\n")
        yield ""
        yield f"## {title}"
        yield ""
        # What follows says how the file is run as a process of its own.
        yield from how.partition("\n\n``")[0].splitlines()
        yield ""
        yield "```text"
        yield from answer.facts
        yield "```"
        for plot in answer.plots:
            yield ""
            yield f"![{plot.title}]({plot.file})"


def table(goals: Sequence[Goal]) -> Iterator[str]:
    """The goals as a table of Markdown."""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * len(COLUMNS)
    yield from ("| " + " | ".join(goal.shown()) + " |" for goal in goals)
