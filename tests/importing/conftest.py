"""The command line."""

from tests.cli.conftest import clock

__all__ = ["clock"]
