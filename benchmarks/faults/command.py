"""The command line of a campaign: for how long, with which dice, and where its summary goes."""

from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from benchmarks.faults.campaign import Say
from benchmarks.faults.report import record

Run = Callable[[Path, int, Say, float], tuple[Sequence[str], bool]]
"""Runs a campaign in a folder, with a seed, for so many seconds: its summary, and whether nothing
was lost or doubled."""


def command(run: Run, *, about: str, prefix: str, heading: str) -> click.Command:
    """The command of a campaign, with exit code 1 where anything was lost or doubled.

    ``prefix`` is what the name of its folder begins with; its summary may go below ``heading`` of a
    page of the documentation.
    """

    @click.command(help=about)
    @click.option("--minutes", type=click.FloatRange(min=0.5), default=3.0, show_default=True)
    @click.option("--seed", type=int, help="Of the dice; printed, so that it can be given again.")
    @click.option("--keep", is_flag=True, help="Keep the folder with the logs and the data.")
    @click.option(
        "--record",
        "page",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Put the summary into this page of the documentation.",
    )
    def main(minutes: float, seed: int | None, keep: bool, page: Path | None) -> None:
        # So that a campaign that is told to end, ends its processes.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        seed = secrets.randbits(32) if seed is None else seed
        print(f"seed {seed}, {minutes:g} minutes", flush=True)
        begin = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=prefix))

        def say(text: str) -> None:
            print(f"{time.monotonic() - begin:7.1f} s  {text}", flush=True)

        try:
            summary, is_clean = run(folder, seed, say, 60 * minutes)
            print("\n".join(summary))
            if page is not None:
                record(page, heading, summary)
        finally:
            if keep:
                print(f"kept {folder}", file=sys.stderr)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        sys.exit(0 if is_clean else 1)

    return main
