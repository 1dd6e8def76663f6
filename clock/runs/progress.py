"""The progress of a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clock import keys
from clock.ledger.unreadable import READ_ERRORS, skip
from clock.ledger.values import instant, number, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a job at the instant ``at`` (aware, UTC); ``total`` is None if unknown."""

    done: float
    total: float | None
    message: str
    at: datetime

    @property
    def fraction(self) -> float | None:
        """The part that is done, 0 to 1, None if the total is unknown."""
        return None if not self.total else min(self.done / self.total, 1.0)


def parse_progress(job_id: str, fields: Mapping[Any, Any] | None) -> Progress | None:
    """The progress in the hash of ``job_id``, None if that is empty or cannot be read."""
    if not fields:
        return None
    try:
        values = {text(field): text(value) for field, value in fields.items()}
        return Progress(
            done=_count(values["done"]),
            total=_count(values["total"]) if values["total"] else None,
            message=values["message"],
            at=datetime.fromtimestamp(instant(values["at"]), UTC),
        )
    except READ_ERRORS as error:
        skip(keys.progress(job_id), error)
        return None


def _count(digits: str) -> float:
    return whole(digits) if digits.lstrip("-").isdecimal() else number(digits)
