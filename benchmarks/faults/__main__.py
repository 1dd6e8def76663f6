"""``python -m benchmarks.faults``: the campaign; exit code 1 where anything was lost or doubled."""

from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.faults.campaign import Campaign
from benchmarks.faults.report import lines, record

HEADING = "## The full run"


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=3.0, show_default=True)
@click.option("--seed", type=int, help="Of the dice; printed, so that it can be given again.")
@click.option("--keep", is_flag=True, help="Keep the folder with the logs and the server's data.")
@click.option(
    "--record",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put the summary into this page of the documentation.",
)
def main(minutes: float, seed: int | None, keep: bool, page: Path | None) -> None:
    """Run real clocks on a real server under faults, and count what RQ received."""
    # So that a campaign that is told to end, ends its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = secrets.randbits(32) if seed is None else seed
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    begin = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:7.1f} s  {text}", flush=True)

    try:
        outcome = Campaign(folder, seed, say).run(60 * minutes)
        summary = list(lines(outcome))
        print("\n".join(summary))
        if page is not None:
            record(page, HEADING, summary)
    finally:
        if keep:
            print(f"kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if outcome.is_clean else 1)


if __name__ == "__main__":
    main()
