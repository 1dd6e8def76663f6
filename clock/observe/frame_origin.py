"""Whose code a frame of a traceback is, by the path of its file.

The worker that wrote the path may run on another machine, with another Python.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path


class Origin(StrEnum):
    """Whose code a frame is."""

    OWN = "own"
    """The application's."""
    LIBRARY = "library"
    """Of an installed package, or of Python itself."""
    RQ = "rq"
    CLOCK = "clock"


_INSTALLED = re.compile(r".*/(?:site|dist)-packages/(?P<package>[^/]*)", re.DOTALL)
_PYTHON = re.compile(r"(?:^|/)lib/(?:python|pypy)?3[0-9.t]*/|^[a-z]:/.*python[^/]*/lib/", re.I)
_PACKAGES = {"rq": Origin.RQ, "clock": Origin.CLOCK}


def origin_of(path: str) -> Origin:
    """Whose code the file at ``path`` is."""
    path = path.replace("\\", "/")
    installed = _INSTALLED.match(path)
    if installed is not None:
        return _PACKAGES.get(installed["package"], Origin.LIBRARY)
    for folder, origin in _folders():
        if path.startswith(folder):
            return origin
    # Python's frozen modules, and what was compiled from a string.
    is_python = path.startswith("<") or _PYTHON.search(path) is not None
    return Origin.LIBRARY if is_python else Origin.OWN


@cache
def _folders() -> tuple[tuple[str, Origin], ...]:
    """Where this process has the packages: they may be installed from their sources."""
    specs = ((find_spec(name), origin) for name, origin in _PACKAGES.items())
    return tuple(
        (f"{Path(spec.origin).parent.as_posix()}/", origin)
        for spec, origin in specs
        if spec is not None and spec.origin is not None
    )
