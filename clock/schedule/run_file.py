"""Running a schedule file: behind a statement that fails, the next one goes on.

So one run finds all mistakes of a file. A statement that failed leaves its names undefined; that a
later one misses them is not a mistake of its own.
"""

from __future__ import annotations

import ast
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

from clock.errors import DeclarationError, RecurrenceError, ScheduleError
from clock.schedule.import_path import is_own
from clock.schedule.task import SCHEDULE_MODULE

IMPORTED_AGAIN = (
    "the schedule file is imported while it is read; a module that it imports imports it again, "
    "so move what both need to a third one"
)
MOST_MISTAKES = 100
"""Statements that fail before the run is given up."""


def run_file(source: bytes, path: str) -> list[ScheduleError]:
    """Run the source of the schedule file at ``path``; returns a mistake for what it raises."""
    module = ModuleType(SCHEDULE_MODULE)
    module.__file__ = path
    mistakes: list[ScheduleError] = []
    missing = set[str]()
    try:
        code: CodeType | None = compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return [_syntax_error(error, path)]
    begin = 0
    while code is not None and len(mistakes) < MOST_MISTAKES:
        try:
            exec(code, module.__dict__)  # noqa: S102
        except ScheduleError as error:
            mistakes.append(error)
            line = _line_in(error, path)
        except (Exception, SystemExit) as error:
            line = _line_in(error, path)
            if not (isinstance(error, NameError) and error.name in missing):
                mistakes.append(_mistake(error, path))
            if isinstance(error, SystemExit):
                return mistakes
        else:
            return mistakes
        code, begin = _behind(source, path, line, begin, missing)
    return mistakes


def _behind(
    source: bytes, path: str, line: int, begin: int, missing: set[str]
) -> tuple[CodeType | None, int]:
    """The code behind the statement at ``line``, and its number; None where nothing is behind it.

    The names that the statement would have defined are added to ``missing``.
    """
    tree = ast.parse(source, path)
    for number, statement in enumerate(tree.body[begin:], start=begin):
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            missing.update(_defined_by(statement))
            # What is imported from __future__ holds for the rest too.
            future = [
                node
                for node in tree.body[: number + 1]
                if isinstance(node, ast.ImportFrom) and node.module == "__future__"
            ]
            rest = ast.Module([*future, *tree.body[number + 1 :]], [])
            if not tree.body[number + 1 :]:
                return None, number
            return compile(rest, path, "exec", dont_inherit=True), number + 1
    return None, begin


def _defined_by(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _line_in(error: BaseException, path: str) -> int:
    """The line of the file itself at which ``error`` came through; 0 where it did not."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in frames if frame.filename == path), 0)


def _mistake(error: BaseException, path: str) -> ScheduleError:
    if isinstance(error, SyntaxError):
        return _syntax_error(error, path)
    frames = traceback.extract_tb(error.__traceback__)
    again = [frame for frame in frames[1:] if frame.name == "<module>" and _is(frame, path)]
    if len(again) > 1:
        return ScheduleError(path, again[0].lineno, IMPORTED_AGAIN)
    file, line = _position(error, path)
    return ScheduleError(file, line, " ".join(_sentence(error).split()))


def _is(frame: traceback.FrameSummary, path: str) -> bool:
    """Whether a frame is of the schedule file, under whatever name."""
    if os.path.basename(frame.filename) != os.path.basename(path):
        return False
    return os.path.realpath(frame.filename) == os.path.realpath(path)


def _syntax_error(error: SyntaxError, path: str) -> ScheduleError:
    return ScheduleError(error.filename or path, error.lineno, f"invalid syntax: {error.msg}")


def _sentence(error: BaseException) -> str:
    if isinstance(error, RecurrenceError | DeclarationError):
        return str(error)
    sentence = f"{type(error).__name__}: {error}"
    if isinstance(error, KeyError) and _is_environ(error):
        return f"the environment variable {error.args[0]!r} is not set"
    if isinstance(error, TypeError) and re.search(r"operand .* for [-|]: '?str", sentence):
        return f"{sentence}; write the words as period('...'), which knows '|' and '-'"
    return sentence


def _is_environ(error: KeyError) -> bool:
    """Whether a variable of ``os.environ`` was asked for."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.name == "__getitem__" and last.filename in {"<frozen os>", os.__file__}


def _position(error: BaseException, path: str) -> tuple[str, int | None]:
    """The innermost line of the schedule, or of a file in its folder, that led to ``error``."""
    folder = Path(path).resolve().parent
    position: tuple[str, int | None] = (path, None)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == path or is_own(frame.filename, folder):
            position = (frame.filename, frame.lineno)
    return position
