"""Which of the things that happened on a primary are part of what its successors know.

Each reign of a primary has a replication id, and counts the bytes of its writes. A replica that is
promoted says whose replica it was and how many of those bytes it had; later ones are forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOBODY = "0" * 40


@dataclass(frozen=True, slots=True)
class Position:
    """A point in the writes of a primary: what it does next is later."""

    reign: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Reign:
    before: str | None
    had: float
    """Bytes of the reign before that are known in this one."""


class Lineage:
    """The reigns, as the servers report them."""

    def __init__(self) -> None:
        self._reigns: dict[str, _Reign] = {}
        self._last: dict[int, str] = {}
        self._current: str | None = None

    def note(self, port: int, replication: Mapping[str, Any], *, is_named: bool) -> None:
        """Note what the server on ``port`` says in its ``INFO replication``, and whether it is the
        one that sentinels name.
        """
        reign = str(replication["master_replid"])
        if replication["role"] == "master":
            if reign not in self._reigns:
                self._reigns[reign] = self._begun(port, replication)
            if is_named:
                self._current = reign
        self._last[port] = reign

    def _begun(self, port: int, replication: Mapping[str, Any]) -> _Reign:
        before = str(replication["master_replid2"])
        # redis-py reads forty zeros as a number.
        if before in {NOBODY, "0"}:
            # The same server, started again with all it had.
            return _Reign(self._last.get(port), math.inf)
        return _Reign(before, int(replication["second_repl_offset"]) - 1)

    def has(self, position: Position) -> bool:
        """Whether the present primary knows what was written at ``place``."""
        reign, end = self._current, math.inf
        while reign is not None and reign in self._reigns:
            if reign == position.reign:
                return position.offset < end
            end = self._reigns[reign].had
            reign = self._reigns[reign].before
        return False


def position(replication: Mapping[str, Any]) -> Position:
    """Where a server is, by its ``INFO replication``."""
    return Position(str(replication["master_replid"]), int(replication["master_repl_offset"]))


def replication(text: bytes | str) -> dict[str, str]:
    """The fields of the text of an ``INFO replication``."""
    lines = (text if isinstance(text, str) else text.decode()).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
