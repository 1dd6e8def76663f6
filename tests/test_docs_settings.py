"""docs/settings.md names every setting and every environment variable, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from clock import settings as code
from tests import environment_names

PAGE = (Path(__file__).parent.parent / "docs" / "settings.md").read_text()


def cells(column: int) -> list[str]:
    """The cells of the table rows that begin with a name, in one column."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    return [re.split(r"(?<!\\)\|", row)[column + 1] for row in rows]


def names(column: int, *, of_settings: bool) -> set[str]:
    table = PAGE[PAGE.index("| setting |") : PAGE.index("## Environment variables")]
    rows = [
        cell
        for cell, first in zip(cells(column), cells(0), strict=True)
        if (f"| {first.strip()} |" in table) == of_settings
    ]
    return {name for cell in rows for name in re.findall(r"`([A-Z_]+)`", cell)}


def test_the_page_has_every_setting_and_no_other() -> None:
    assert names(0, of_settings=True) == environment_names.settings()


def test_the_page_has_every_variable_and_no_other() -> None:
    on_page = names(1, of_settings=True) | names(0, of_settings=False)
    assert on_page == environment_names.variables()


def test_a_variable_of_a_setting_has_its_name() -> None:
    for setting, variable in zip(cells(0), cells(1), strict=True):
        if match := re.search(r"`(CLOCK_[A-Z_]+)`", variable):
            assert setting.strip() == f"`{match[1].removeprefix('CLOCK_')}`"


def test_the_page_has_the_defaults_of_the_code() -> None:
    shown = {first.strip().strip("`"): cell for first, cell in zip(cells(0), cells(2), strict=True)}
    for name, seconds in {
        "GRACE": code.GRACE,
        "CLOCK_OVERDUE_AFTER": code.TOLERANCE,
        "CLOCK_CONFLICT_AFTER": code.CONFLICT_AFTER,
        "CLOCK_CONDITION_TIMEOUT": code.CONDITION_TIMEOUT,
    }.items():
        assert float(shown[name].split()[0]) == seconds
    assert shown["OUTPUT_MEMORY"].strip() == str(code.OUTPUT_MEMORY)
    assert shown["APP"].strip(" `") == code.Settings().app
    assert shown["SERIALIZER"].strip(" `") == code.Settings().serializer


def test_the_lookups_of_the_code_are_found() -> None:
    assert {"PINGS", "GRACE", "WEB_TOKEN"} <= environment_names.settings()
    assert {"TZ", "PORT", "CLOCK_WEB_TOKEN", "NO_COLOR"} <= environment_names.variables()
