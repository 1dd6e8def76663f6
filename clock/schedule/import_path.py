"""Where a schedule file and the tasks it names are imported from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


@contextmanager
def import_path(folder: Path, root: Path | None = None) -> Iterator[None]:
    """While the block runs, ``folder`` and the project's folder come first on the import path.

    The project's folder is ``root``, else the current one. Modules that the block imported from the
    folder, or from ``root``, are forgotten afterwards: reading a schedule again runs its imported
    files again. The path belongs to the process, so this is not for two threads at once.
    """
    path, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(folder), os.getcwd() if root is None else str(root)]
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if _lies_in(root or folder, sys.modules[name]):
                _forget(name)


def _lies_in(folder: Path, module: ModuleType) -> bool:
    """Whether a module is the schedule's own: from its folder, and not from a venv inside it."""
    file = getattr(module, "__file__", None)
    # A folder without __init__.py is a module without a file, and has its places in __path__.
    for place in [file] if file else getattr(module, "__path__", ()):
        own = Path(place).resolve()
        if own.is_relative_to(folder):
            return not any(part.endswith("-packages") for part in own.relative_to(folder).parts)
    return False


def _forget(name: str) -> None:
    del sys.modules[name]
    parent, _, child = name.rpartition(".")
    # `from schedules import feeds` asks the parent before it asks the import system.
    if parent in sys.modules and hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)
