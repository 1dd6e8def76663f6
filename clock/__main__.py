"""``python -m clock`` is the command ``clock``."""

import gc
import os
import sys
from typing import TextIO

from clock.commands import runs_the_clock
from clock.stop import end_on_signals


def main() -> None:
    """Run the command that the process was started with, and exit with one of the codes."""
    _open_standard_streams()
    # Before anything that takes time is imported.
    if runs_the_clock(sys.argv[1:]):
        end_on_signals()
    # Imported modules stay, so collecting garbage now is a waste; the command turns it on again.
    gc.disable()
    from clock.cli import main as run

    run()


def _open_standard_streams() -> None:
    """Give what is closed of the three standard streams to the null device.

    The connection to the server would else get one of their numbers, and be written to by whoever
    prints.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = _writer(1)
    if sys.stderr is None:
        sys.stderr = _writer(2)


def _writer(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


if __name__ == "__main__":
    main()
