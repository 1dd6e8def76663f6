"""``python -m benchmarks``: answers every question about speed, or those it is given."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import click

from benchmarks.machine import load, machine
from benchmarks.page import record
from benchmarks.server import server

QUESTIONS = (
    "burst", "two_clocks", "tick", "idle", "memory",
    "async_jobs", "start", "next_time", "lateness", "sources", "drain", "ping", "stop",
    "throughput", "children", "backlog", "wake", "idle_worker",
)  # fmt: skip


@click.command()
@click.argument("questions", nargs=-1, type=click.Choice(QUESTIONS))
@click.option(
    "--quick", is_flag=True, help="A few events, one run: whether it works, not how fast."
)
@click.option(
    "--record",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put what was found into this page; for all questions at once.",
)
def main(questions: tuple[str, ...], quick: bool, page: Path | None) -> None:
    """Measure, each figure against a peer or a floor in the same run."""
    if page is not None and questions:
        raise click.UsageError("--record takes all questions together")
    busy = load()
    with server() as url:
        about = [*machine(url), ("load before", f"{busy:.2f}")]
    for name, text in about:
        print(f"{name:<12} {text}")
    answers = {}
    for name in questions or QUESTIONS:
        begin = time.monotonic()
        question = importlib.import_module(f"benchmarks.{name}")
        answer = answers[question] = question.measure(quick=quick)
        print(f"\n{name} ({time.monotonic() - begin:.0f} s)")
        for fact in answer.facts:
            print(f"  {fact}")
        for goal in answer.goals:
            what, wanted, least, measured, verdict = goal.shown()
            print(f"  {what}: {measured}, goal {wanted}, accepted {least}: {verdict}", flush=True)
    if page is not None:
        record(page, about, answers)


if __name__ == "__main__":
    main()
