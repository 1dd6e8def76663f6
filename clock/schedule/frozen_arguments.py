"""Arguments that are computed once, when the schedule file is read, and look otherwise."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

FROZEN = {
    "today", "now", "utcnow", "time", "time_ns", "uuid1", "uuid4", "random", "randint", "choice",
    "uniform", "randrange", "token_hex", "token_urlsafe", "getrandbits",
}  # fmt: skip
"""Functions that answer otherwise each time."""


def frozen_arguments(path: str, line: int) -> Iterator[str]:
    """The calls of such functions in ``args=`` and ``kwargs=`` of the ``every`` at a line."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:  # a file of a revision
        return
    for keyword in _keywords(os.path.realpath(path), changed).get(line, ()):
        for node in ast.walk(keyword.value):
            if isinstance(node, ast.Call) and not node.args and _name(node.func) in FROZEN:
                yield f"{keyword.arg}= has {ast.unparse(node)}"


@lru_cache(maxsize=8)
def _keywords(path: str, _changed: int) -> Mapping[int, list[ast.keyword]]:
    """The arguments of tasks in a file, by the lines of their ``every``."""
    try:
        tree = ast.parse(Path(path).read_bytes(), path)
    except (OSError, SyntaxError):  # it was changed since it was read
        return {}
    return {
        node.lineno: [word for word in node.keywords if word.arg in {"args", "kwargs"}]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == "every"
    }


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
