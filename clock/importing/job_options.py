"""Options of a job as Python source."""

from __future__ import annotations

from clock.importing.literal import literal


def job_options(**values: object) -> dict[str, str]:
    """The options that have a value, as source; raises ValueError, naming one that has no literal.

    ``None`` and empty collections are options that were not given.
    """
    options = {}
    for name, value in values.items():
        if value is None or value in ((), [], {}, ""):
            continue
        try:
            options[name] = literal(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return options
