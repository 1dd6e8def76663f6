"""The front of the command line: which command runs, and the exit code of an error."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from clock import exit_codes
from clock.commands import COMMANDS, START, runs_the_clock
from clock.errors import ClockError, ConflictError, ScheduleError, ServerError, TimeSourceError
from clock.suggest import nearest
from clock.version import VERSION

EPILOG = """\b
Exit codes:
  0  fine
  1  the schedule file has a mistake, or an import left something out
  2  wrong usage or settings
  3  the server cannot be reached or refuses
  4  the clock crashed
  5  two schedules differ
  6  no clock is alive
  7  an event is overdue or ahead, two clocks disagree about it, or a source is failing

\b
Examples:
  clock schedules/main.py             run the clock
  clock dev schedules/main.py         run server, clock, worker and web UI
  clock check schedules/main.py       find mistakes before a deploy
  clock next schedules/main.py -n 5   show what fires next
  clock status                        check that a clock is alive and nothing is overdue
  clock why tasks.x 2026-11-21T09:30  explain why that occurrence fired or did not
"""


class Front(click.Group):
    """A group in which a schedule file in the position of a command starts the clock."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if runs_the_clock(args) and args[0] != START:
            self._check_is_file(args[0])
            args.insert(0, START)
        return super().parse_args(ctx, args)

    def _check_is_file(self, word: str) -> None:
        if word.startswith("-") or word.endswith(".py") or Path(word).exists():
            return
        suggestion = nearest(word, COMMANDS)
        hint = f"did you mean {suggestion!r}?" if suggestion else "see 'clock --help'"
        raise click.UsageError(f"{word!r} is neither a command nor a file; {hint}")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        position = {START: "clock.cli.start:start", **COMMANDS}.get(cmd_name)
        if position is None:
            return None
        module, _, name = position.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return command


@click.command(cls=Front, epilog=EPILOG, context_settings={"help_option_names": ["--help"]})
@click.version_option(VERSION, prog_name="clock")
def front() -> None:
    """The clock for Python applications on RQ.

    `clock FILE` runs the clock: it reads a schedule file and enqueues the job of each event when it
    is due. `clock FILE --help` lists its options.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command and exit with one of the codes; a user's mistake is one line on stderr."""
    try:
        # click's own main() exits with 1 when the reader of a pipe closes it.
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        with front.make_context("clock", words) as context:
            code = front.invoke(context) or exit_codes.OK
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except ScheduleError as error:
        code = _complain(str(error), exit_codes.SCHEDULE)
    except (ServerError, ConflictError, TimeSourceError) as error:
        code = _complain(f"clock: {error}", exit_codes.SERVER)
    except ClockError as error:
        code = _complain(f"clock: {error}", exit_codes.USAGE)
    except click.ClickException as error:
        code = _complain(f"clock: {error.format_message()}", exit_codes.USAGE)
    except click.Abort:
        code = exit_codes.USAGE
    except BrokenPipeError:
        # The reader of a pipe closed it, as in `clock next ... | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = exit_codes.OK
    sys.exit(code)


def _complain(line: str, code: int) -> int:
    click.echo(line, err=True)
    return code
