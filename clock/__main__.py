"""``python -m clock`` is the command ``clock``."""

from clock.cli import main

main()
