"""The scripts that run on the server, ``*.lua`` beside the modules that call them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def script(folder: str, name: str) -> str:
    """The text of the script ``name`` of a package, in which ``RQ`` is what RQ's keys begin with.

    It is the same text, and so has the same digest, as long as the process lives.
    """
    from clock.connection.rq_keys import PREFIX

    # On the first line, so that the server's errors name the lines of the file.
    text = files(folder).joinpath(name).read_text(encoding="utf-8")
    return f"local RQ = {json.dumps(PREFIX)} {text}"
