"""Tags: what a part of a recurrence and its fields are called where they are stored.

A ledger keeps the identity and the text of every recurrence, and clocks of several releases read
and compare them. A tag never changes; the class and the attribute behind it may.
"""

from __future__ import annotations


class Tags:
    """The tag of a class, and its stored fields in order: each tag with the attribute behind it."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, /, **fields: str) -> None:
        self.name = name
        self.fields = fields
