"""``python -m clock`` is the command ``clock``."""

import gc

# What is imported stays, so it is no place to look for garbage; the front turns it on again.
gc.disable()

from clock.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
