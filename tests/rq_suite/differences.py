"""The tests of RQ's that do not pass with our worker, and why."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")


def differences(release: str) -> dict[str, str]:
    """The ids of these tests of a release of RQ, each with the reason."""
    reasons = {}
    for difference in tomllib.loads(FILE.read_text())["difference"]:
        if release in difference["releases"]:
            reasons.update(dict.fromkeys(difference["tests"], difference["reason"]))
    return reasons
