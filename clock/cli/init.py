"""``clock init [DIR]``: the files of a new project."""

from __future__ import annotations

from pathlib import Path

import click

from clock.cli import options
from clock.dev.project import FILES


@click.command(name="init", epilog=options.examples("init", "init shop"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
def init_project(folder: str) -> None:
    """Write the files of a new project into DIR.

    A schedule, its tasks, settings, a Procfile, a test and a README. DIR is the current folder
    unless given. Writes nothing where one of the files is there already.
    """
    target = Path(folder)
    present = [name for name in FILES if (target / name).exists()]
    if present:
        raise click.UsageError(f"{target / present[0]} is there already; nothing was written")
    target.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        # What appeared meanwhile is not overwritten either.
        with (target / name).open("x", encoding="utf-8") as file:
            file.write(text)
        click.echo(f"wrote {target / name}")
    steps = "clock dev schedule.py" if folder == "." else f"cd {folder} && clock dev schedule.py"
    click.echo(f"\nnow: {steps}")
