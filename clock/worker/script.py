"""Scripts of this folder."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """The text of a script."""
    return files("clock.worker").joinpath(name).read_text(encoding="utf-8")
