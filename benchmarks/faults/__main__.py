"""``python -m benchmarks.faults``: the campaign; exit code 1 where anything was lost or doubled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults.campaign import Campaign, Say
from benchmarks.faults.command import command
from benchmarks.faults.report import lines


def _run(folder: Path, seed: int, say: Say, seconds: float) -> tuple[Sequence[str], bool]:
    outcome = Campaign(folder, seed, say).run(seconds)
    return list(lines(outcome)), outcome.is_clean


main = command(
    _run,
    about="Run real clocks on a real server under faults, and count what RQ received.",
    prefix="faults-",
    heading="## Results",
)

if __name__ == "__main__":
    main()
