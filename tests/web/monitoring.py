"""What the tests of alerts and dashboard share: the documented metrics, and promtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")

_ROW = re.compile(r"^\| `(clock\w*)` \| (\w+) \|", re.MULTILINE)


def documented() -> set[str]:
    """The names of all series that docs/metrics.md has; a test compares it with a scrape."""
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in _ROW.findall(PAGE) for end in ends.get(kind, ("",))}


def used(expressions: Iterable[str]) -> set[str]:
    """The names of the metrics in PromQL."""
    names = (re.findall(r"\bclock_\w+", re.sub(r'"[^"]*"', "", text)) for text in expressions)
    return {name for found in names for name in found}


def promtool(*words: str, text: str | None = None) -> str:
    """The output of promtool, which must succeed; skips the test where there is none."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed; on Debian it is in the package prometheus")
    done = subprocess.run(
        [program, *words], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
