"""How far a job has come, as it is kept for whoever has its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rq.utils import as_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job had come at the instant ``at`` (aware, UTC); ``total`` is None where nobody
    knows.
    """

    done: float
    total: float | None
    message: str
    at: datetime

    @property
    def fraction(self) -> float | None:
        """The part that is done, 0 to 1, None where the total is not known."""
        return None if not self.total else min(self.done / self.total, 1.0)


def parse_progress(found: Mapping[Any, Any]) -> Progress | None:
    """The progress in the hash of it, None where that is empty."""
    if not found:
        return None
    said = {as_text(field): as_text(value) for field, value in found.items()}
    return Progress(
        done=_number(said["done"]),
        total=_number(said["total"]) if said["total"] else None,
        message=said["message"],
        at=datetime.fromtimestamp(float(said["at"]), UTC),
    )


def _number(text: str) -> float:
    return float(text) if not text.lstrip("-").isdecimal() else int(text)
