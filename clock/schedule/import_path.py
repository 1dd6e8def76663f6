"""Where a schedule file and the tasks it names are imported from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def import_path(folder: Path) -> Iterator[None]:
    """While the block runs, ``folder`` and the current folder come first on the import path.

    Modules that the block imported from ``folder`` are forgotten afterwards: reading a schedule again
    runs its imported files again. The path belongs to the process, so this is not for two threads at once.
    """
    path, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(folder), os.getcwd()]
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).resolve().is_relative_to(folder):
                del sys.modules[name]
