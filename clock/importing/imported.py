"""What was read of another scheduler's schedule: events, and what has no counterpart here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedEvent:
    """One ``every(...)``: its arguments as Python source, and where it comes from.

    ``source`` is the place in the other schedule, such as ``crontab:3``; ``options`` are all
    options but the name, which is not written where it is ``default_name``.
    """

    source: str
    name: str
    default_name: str
    period: str
    task: str
    options: Mapping[str, str] = field(default_factory=dict)
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something without a counterpart: its place in the other schedule, and a sentence."""

    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A schedule: its zone by its IANA name, its events in order, and what was left out.

    ``defaults`` are options of every event, as Python source.
    """

    zone: str
    events: tuple[ImportedEvent, ...]
    left_out: tuple[LeftOut, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
