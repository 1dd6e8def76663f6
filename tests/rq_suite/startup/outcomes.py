"""A pytest plugin: writes how each test ended, as ``OUTCOME TEST``, to ``RQ_SUITE_OUTCOMES``.

RQ's tests are a package called ``tests`` too, so this module is imported by its bare name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Write a failure in any phase, and what the test itself did."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call" or not report.passed:
        with open(os.environ["RQ_SUITE_OUTCOMES"], "a") as file:
            file.write(f"{report.outcome} {item.nodeid}\n")
    return report  # type: ignore[return-value]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End at once: at its exit Python would wait for the workers that a failed test has left."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
