"""Combinations with ``|`` and ``-``, as written; ``every`` reads and checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class Combining:
    """An operand of ``|`` and ``-``; the other operand may be anything."""

    __slots__ = ()

    def __or__(self, other: object) -> Combination:
        return Combination(self, "|", other)

    def __ror__(self, other: object) -> Combination:
        return Combination(other, "|", self)

    def __sub__(self, other: object) -> Combination:
        return Combination(self, "-", other)

    def __rsub__(self, other: object) -> Combination:
        return Combination(other, "-", self)


@dataclass(frozen=True, slots=True)
class Combination(Combining):
    """Two sides and the sign between them: ``|`` for either, ``-`` for the left but the right."""

    left: object
    sign: Literal["|", "-"]
    right: object


@dataclass(frozen=True, slots=True)
class Words(Combining):
    """A period in words that supports ``|`` and ``-``, which a Python string does not."""

    text: str


def period(text: str) -> Words:
    """A period from text, to combine with something else: ``period("weekday") - {date(...)}``."""
    return Words(text)
