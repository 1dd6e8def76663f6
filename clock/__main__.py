"""``python -m clock`` is the command ``clock``."""

import gc
import sys

from clock.bootstrap import end_on_signals, open_standard_streams
from clock.commands import runs_the_clock


def main() -> None:
    """Run the command that the process was started with, and exit with one of the codes."""
    open_standard_streams()
    if runs_the_clock(sys.argv[1:]):
        end_on_signals()
    # Imported modules stay, so collecting garbage now is a waste; the command turns it on again.
    gc.disable()
    from clock.cli import main as run

    run()


if __name__ == "__main__":
    main()
