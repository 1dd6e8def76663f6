"""Lua scripts that run on the server: ``*.lua`` files next to the modules that call them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from clock.connection.rq_keys import PREFIX


@cache
def script(folder: str, name: str, *, include: str | None = None) -> str:
    """The source of the script ``name`` in the package ``folder``, with RQ's key prefix as ``RQ``.

    Its digest is the same as long as the process lives. ``include`` is a file of the folder with
    functions that go before it; line numbers in errors count from there.
    """
    # The prefix goes on the first line, so that line numbers in errors are those of the file.
    names = [name] if include is None else [include, name]
    sources = [files(folder).joinpath(part).read_text(encoding="utf-8") for part in names]
    return f"local RQ = {json.dumps(PREFIX)} " + "".join(sources)
