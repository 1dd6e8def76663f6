"""The processes that work in a folder, as the kernel lists them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason=f"{sys.platform} does not list processes in /proc"
)


def processes_in(folder: Path) -> dict[int, str]:
    """The living processes whose current folder is ``folder`` or below it: pid and command line."""
    processes = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # A process that has ended and is not yet waited for has no current folder.
            if (entry / "cwd").readlink().is_relative_to(folder):
                processes[int(entry.name)] = (
                    (entry / "cmdline").read_text().replace("\0", " ").strip()
                )
        except OSError:
            continue
    return processes


def children_of(pid: int) -> list[int]:
    """The processes that the process ``pid`` has started, and that are not yet waited for."""
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return children
