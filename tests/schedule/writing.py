"""Writing a schedule file and reading it, in a test's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clock import Event, Schedule, ScheduleError, load

HEADER = "from clock import *\n"


def schedule(folder: Path, source: str, name: str = "main.py", **options: Any) -> Schedule:
    """The schedule of a file that holds ``source`` under one line of imports."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + source)
    return load(path, **options)


def event(folder: Path, source: str) -> Event:
    """The only event of such a file."""
    (only,) = schedule(folder, source).events.values()
    return only


def refusal(folder: Path, source: str, **options: Any) -> ScheduleError:
    """The error that such a file is refused with."""
    with pytest.raises(ScheduleError) as caught:
        schedule(folder, source, **options)
    return caught.value
