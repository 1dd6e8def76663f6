"""Every line of the tables in docs/time.md does what it says."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
import pytz

from clock import ScheduleError, load

PAGE = (Path(__file__).parent.parent / "docs" / "time.md").read_text()
HEADER = "from datetime import *\nfrom clock import *\n"


def rows(columns: int) -> list[tuple[str, ...]]:
    """The rows of the tables with this many columns, without the headers."""
    cells = (
        tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        for line in PAGE.splitlines()
        if line.startswith("| `")
    )
    return [(row[0].strip("`"), *row[1:]) for row in cells if len(row) == columns]


def with_task(example: str) -> str:
    """The example with a task added."""
    call = ast.parse(example, mode="eval").body
    assert isinstance(call, ast.Call)
    call.args.insert(1, ast.Constant("tasks.example"))
    return ast.unparse(call)


def write(folder: Path, zone: str, example: str) -> Path:
    path = folder / "main.py"
    path.write_text(f"{HEADER}timezone({zone!r})\n{with_task(example)}\n")
    return path


@pytest.mark.parametrize(("example", "zone", "after", "fires"), rows(4))
def test_an_example_fires_when_the_page_says(
    tmp_path: Path, example: str, zone: str, after: str, fires: str
) -> None:
    (event,) = load(write(tmp_path, zone, example)).events.values()
    expected = fires.split(", ")
    local = pytz.timezone(zone)
    times = [
        f"{instant.astimezone(local):%Y-%m-%d %H:%M:%S}".removesuffix(":00")
        + instant.astimezone(local).isoformat()[-6:]
        for instant in islice(event.occurrences(datetime.fromisoformat(after)), len(expected))
    ]
    assert times == expected


@pytest.mark.parametrize(("example", "message"), rows(2))
def test_an_example_is_rejected_as_the_page_says(
    tmp_path: Path, example: str, message: str
) -> None:
    with pytest.raises(ScheduleError) as caught:
        load(write(tmp_path, "UTC", example))
    assert (caught.value.line, caught.value.message) == (4, message)


def test_the_tables_are_found() -> None:
    assert len(rows(4)) > 35
    assert len(rows(2)) > 10
