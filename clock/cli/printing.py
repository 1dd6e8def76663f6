"""Printing tables for people, and JSON objects for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import click

from clock.instant import utc_text
from clock.schedule.event import seconds


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, its columns as wide as they must be."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    for line in table(head, rows):
        click.echo(line)


def print_objects(objects: Iterable[object]) -> None:
    """Print JSON objects, one a line."""
    for item in objects:
        click.echo(json.dumps(item, ensure_ascii=False))


def utc_of(instant: datetime) -> str:
    """An aware datetime in ISO 8601, in UTC."""
    return utc_text(seconds(instant))
