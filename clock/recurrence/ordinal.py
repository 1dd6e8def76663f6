"""Ordinal numbers in English: ``1st``, ``2nd``, ``11th``."""

from __future__ import annotations


def ordinal(number: int) -> str:
    """``number``, from 1, with its ending."""
    teen = 10 <= number % 100 <= 20
    return f"{number}" + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))
