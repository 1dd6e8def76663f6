"""A page of a list that is read whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage(Generic[Item]):
    """Page ``number``, from 1, of ``pages``: its ``items`` of ``total``, the first of which is at
    position ``first``, from 1.
    """

    number: int
    pages: int
    first: int
    total: int
    items: Sequence[Item]


def page_of(items: Sequence[Item], number: str | None, size: int) -> ListPage[Item]:
    """Page ``number``, as an address has it, of ``items``; the nearest page where it has none."""
    is_number = number is not None and number.isascii() and number.isdecimal() and len(number) < 10
    pages = max(-(-len(items) // size), 1)
    at = min(max(int(number or 1) if is_number else 1, 1), pages)
    start = (at - 1) * size
    shown = items[start : start + size]
    return ListPage(number=at, pages=pages, first=start + 1, total=len(items), items=shown)
