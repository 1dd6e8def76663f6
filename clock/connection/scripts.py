"""Lua scripts that run on the server: ``*.lua`` files next to the modules that call them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from clock.connection.rq_keys import PREFIX


@cache
def script(folder: str, name: str) -> str:
    """The source of the script ``name`` in the package ``folder``, with RQ's key prefix as ``RQ``.

    Its digest is the same as long as the process lives.
    """
    # The prefix goes on the first line, so that line numbers in errors are those of the file.
    source = files(folder).joinpath(name).read_text(encoding="utf-8")
    return f"local RQ = {json.dumps(PREFIX)} {source}"
