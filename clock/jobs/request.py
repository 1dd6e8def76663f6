"""A request for jobs that has an idempotency key, as the API takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for jobs under a key: repeated, it enqueues them once; another one with its key
    enqueues nothing. ``ids`` are those of all jobs by which an earlier request is recognised.
    """

    key: str
    digest: str
    ids: Sequence[str]

    def __str__(self) -> str:
        return f"{self.key} {self.digest}"
