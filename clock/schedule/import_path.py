"""The import path of a schedule file and the tasks it names."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).resolve().parent.parent
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def import_path(folder: Path, root: Path | None = None) -> Iterator[None]:
    """While the block runs, ``folder`` and the project's folder come first on the import path.

    The project's folder is ``root``, else the current one. Modules that the block imported from the
    folder, or from ``root``, are forgotten afterwards: reading a schedule again runs its imported
    files again. The path belongs to the process, so a second thread waits for the first.
    """
    with _ONE_AT_A_TIME:
        path, modules = list(sys.path), set(sys.modules)
        sys.path[:0] = [str(folder), os.getcwd() if root is None else str(root)]
        try:
            yield
        finally:
            sys.path[:] = path
            for name in set(sys.modules) - modules:
                if _lies_in(root or folder, sys.modules[name]):
                    _forget(name)


def is_own(file: str, folder: Path) -> bool:
    """Whether a file is the schedule's own: in its ``folder``, but in no venv there.

    This package may lie in that folder too; it is not the schedule's own either.
    """
    # Frames of the standard library may have names such as "<frozen os>", which is not a file.
    path = Path(file).resolve()
    if file.startswith("<") or not path.is_relative_to(folder) or path.is_relative_to(_PACKAGE):
        return False
    return not any(part.endswith("-packages") for part in path.relative_to(folder).parts)


def _lies_in(folder: Path, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    # A folder without __init__.py is a module without a file, and has its folders in __path__.
    paths = [file] if file else getattr(module, "__path__", ())
    return any(is_own(path, folder) for path in paths)


def _forget(name: str) -> None:
    del sys.modules[name]
    parent, _, child = name.rpartition(".")
    # `from schedules import feeds` asks the parent before it asks the import system.
    if parent in sys.modules and hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)
