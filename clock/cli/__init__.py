"""The command ``clock``."""

from clock.cli.front import main

__all__ = ["main"]
