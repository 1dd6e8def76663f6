"""``clock put``, ``clock remove`` and ``clock export``: the rows that people edit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from clock.cli import options
from clock.cli.auditing import auditing, user_and_host
from clock.cli.connect import connect
from clock.errors import RowError
from clock.jobs.editing import Editor, details
from clock.ledger.sources import read_sources
from clock.ledger.stored import StoredRow
from clock.observe.formatting import local
from clock.observe.preview import preview
from clock.schedule.event import Event
from clock.schedule.options import ROW_OPTIONS

_LISTS = frozenset({"at", "on", "days"})
_JSON = frozenset({"args", "kwargs", "meta", "retry"})
_FLAGS = frozenset({"at_front", "enabled"})
_MARKS = {"gap": "its local time is skipped", "fold": "its local time comes twice"}


def _words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every word of a row."""
    for name, option in reversed([*ROW_OPTIONS.items()]):
        if name in {"name", "except_"}:
            continue
        more: dict[str, Any] = {"metavar": "TEXT"}
        if name in _LISTS:
            more = {"multiple": True, "metavar": "TEXT"}
        elif name in _JSON:
            more = {"metavar": "JSON"}
        elif name in _FLAGS:
            more = {"type": click.BOOL}
        help_text = option.help.replace("``", "")
        words = f"--{name.replace('_', '-')}"
        command = click.option(words, name, help=help_text, **more)(command)
    return command


@click.command(
    name="put",
    epilog=options.examples(
        "put reports --every day --at 09:30 --tz Asia/Tokyo --task tasks.reports.daily",
        "put reminder --once 2027-01-04T09:00 --task tasks.mail.remind --args '[17]'",
        "put --file rows.json",
    ),
)
@click.argument("name", required=False)
@click.option("--every", metavar="TEXT", help="The period, as in a schedule file.")
@click.option("--once", metavar="ISO", help="One local time: it fires once, and is removed.")
@click.option("--task", metavar="NAME", help="The dotted name of the function to run.")
@_words
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Put the rows of this JSON file, all or none.")  # fmt: skip
@click.option("--source", help="The source [default: the only one that is stored()]")
@options.server
def put_rows(
    name: str | None,
    file: Path | None,
    source: str | None,
    url: str | None,
    settings: str | None,
    app: str,
    **words: Any,
) -> None:
    """Create or replace the stored row NAME.

    It needs a schedule file with a source that is stored(). The row is checked as in a schedule
    file; clocks take it over within a second. Prints when it fires, and its next times.
    """
    given = {word: value for word, value in words.items() if value not in (None, ())}
    if (name is None) == (file is None) or (file is not None and given):
        raise click.UsageError("write either NAME with its words, or --file")
    rows = _rows_of(file) if file is not None else [_row(str(name), given)]
    connection, now = connect(url, settings)
    editor = Editor(connection, app)
    events = [_checked(editor, row, source, now, len(rows) > 1) for row in rows]
    by = user_and_host()
    for row, event in zip(rows, events, strict=True):
        with auditing(connection, app, "put", event.name, now) as change:
            stored = editor.stored_row(row, event.source, by, now)
            before = editor.rows.put(stored)
            change.before = None if before is None else details(before.row)
            change.after = details(stored.row)
        for line in _lines(event, now):
            click.echo(line)


@click.command(name="remove", epilog=options.examples("remove reports"))
@click.argument("name")
@options.server
def remove_row(name: str, url: str | None, settings: str | None, app: str) -> None:
    """Remove the stored row NAME.

    It fires no more, at once. Its history stays for 35 days.
    """
    connection, now = connect(url, settings)
    editor = Editor(connection, app)
    row = editor.row(name)
    with auditing(connection, app, "remove", name, now) as change:
        before = editor.rows.remove(name, row.source, now)
        change.before = None if before is None else details(before.row)
    click.echo(f"{name} is removed")


@click.command(
    name="export", epilog=options.examples("export > schedules/console.py", "export --as json")
)
@click.option(
    "--as", "style", type=click.Choice(("python", "json")), default="python", show_default=True,
    help="A schedule file, or rows for 'clock put --file'.",
)  # fmt: skip
@options.server
def export_rows(style: str, url: str | None, settings: str | None, app: str) -> None:
    """Print the stored rows."""
    connection, _ = connect(url, settings)
    rows = sorted(Editor(connection, app).rows.read().values(), key=lambda row: row.name)
    if style == "json":
        click.echo(json.dumps([row.row for row in rows], ensure_ascii=False, indent=2))
        return
    states = read_sources(connection, app)
    zones = {states[row.source].zone for row in rows if row.source in states}
    for line in _as_python(rows, zones):
        click.echo(line)


def _row(name: str, words: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    for word, value in words.items():
        if word in _LISTS:
            items = [_number(item) for item in value]
            row[word] = items if len(items) > 1 else items[0]
        elif word in _JSON:
            try:
                row[word] = json.loads(value)
            except ValueError:
                raise click.UsageError(f"--{word}: {value!r} is not JSON") from None
        else:
            row[word] = _number(value)
    return row


def _number(value: Any) -> Any:
    """A whole number where ``value`` is the text of one."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _rows_of(file: Path) -> list[Any]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--file: {file}: {error}") from None
    if not isinstance(rows, list) or not rows:
        raise click.UsageError(f"--file: {file} must hold a JSON array of rows")
    return rows


def _checked(editor: Editor, row: Any, source: str | None, now: float, is_one_of: bool) -> Event:
    try:
        return editor.check(row, source, now)
    except RowError as error:
        name = row.get("name") if isinstance(row, dict) else None
        which = f"row {name!r}: " if is_one_of else ""
        raise click.UsageError(f"{which}{error}") from None


def _lines(event: Event, now: float) -> Iterator[str]:
    shown = preview(event, now)
    state = "" if event.enabled else ", disabled"
    yield f"{event.name}: {shown.words}, zone {shown.zone}, queue {event.job.queue}{state}"
    for occurrence in shown.upcoming:
        mark = "" if occurrence.mark is None else f"  {_MARKS[occurrence.mark]}"
        yield f"  {local(occurrence.at, event.zone)}{mark}"


def _as_python(rows: Sequence[StoredRow], zones: set[str]) -> Iterator[str]:
    yield "from clock import every, timezone"
    yield ""
    if len(zones) == 1:
        yield f"timezone({zones.pop()!r})"
        yield ""
    for row in rows:
        words = dict(row.row)
        task = words.pop("task")
        if "once" in words:
            day, _, time = words.pop("once").partition("T")
            words |= {"at": time, "start": day, "until": day}
            every: Any = "day"
        else:
            every = words.pop("every")
        named = "".join(f", {word}={value!r}" for word, value in words.items())
        yield f"every({every!r}, {task!r}{named})"
