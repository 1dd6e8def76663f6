"""How the children of a worker are started: as forks or, on macOS, as new interpreters.

The frameworks of macOS end a process that was forked and has not become another program since, as
soon as it uses Objective-C; Python's own lookup of proxies does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

SPAWNS = sys.platform == "darwin"
"""Whether a child is a new interpreter."""


def spawn(
    function: str, description: bytes, *, inherited: Iterable[int], mask: Iterable[int]
) -> int:
    """Start a new interpreter, the first of a process group of its own, and return its pid.

    It calls ``function``, a dotted name, with a descriptor from which it reads ``description``. It
    has the descriptors ``inherited``, and blocks the signals of ``mask``. Raises OSError.
    """
    module, _, name = function.rpartition(".")
    reader, writer = os.pipe()
    try:
        for descriptor in (reader, *inherited):
            os.set_inheritable(descriptor, True)
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from {module} import {name}; {name}({reader})"
        )
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", code],
            os.environ,
            setpgroup=0,
            setsigmask=mask,
        )
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    # One that died before it had read all is found dead like any other.
    with suppress(BrokenPipeError), os.fdopen(writer, "wb") as file:
        file.write(description)
    return pid
