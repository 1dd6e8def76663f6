"""The list of RQ's tests that do not pass is what the docs say."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.rq_suite.differences import FILE

PAGE = Path(__file__).parents[2] / "docs" / "rq-worker.md"


def test_the_docs_have_the_list_of_differences() -> None:
    _, table = PAGE.read_text().split("## RQ's own tests\n")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| {', '.join(f'`{_name(test)}`' for test in difference['tests'])} "
        f"| {difference['reason']} |"
        for difference in tomllib.loads(FILE.read_text())["difference"]
    ]


def _name(test: str) -> str:
    """The file and the name of a test, from its id."""
    file, *_, name = test.removeprefix("tests/").split("::")
    return f"{file}::{name}"
