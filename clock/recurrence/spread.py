"""A spread: every occurrence later by a stable offset, so that events do not fire all at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from clock.recurrence.elapsed import spell_seconds
from clock.recurrence.recurrence import Recurrence
from clock.recurrence.rule import Rule, spell_part
from clock.recurrence.tags import Tags
from clock.recurrence.wall import Fold, Gap
from clock.recurrence.zone import END, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Fires ``by`` seconds after ``inner`` does."""

    tags: ClassVar = Tags("Later", inner="inner", by="by")

    inner: Recurrence
    by: int

    def next(self, after: int) -> int | None:
        following = self.inner.next(after - self.by)
        return following + self.by if following is not None and following + self.by < END else None

    def is_moved(self, instant: int) -> bool:
        return self.inner.is_moved(instant - self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRule(Rule):
    """A rule ``by`` seconds later, which is a part of the ``over`` seconds to spread over."""

    inner: Rule
    over: int
    by: int

    def make(self, zone: Zone, gap: Gap, fold: Fold) -> Later:
        return Later(inner=self.inner.recurrence(zone, gap, fold), by=self.by)

    def __str__(self) -> str:
        over, by = spell_seconds(self.over), spell_seconds(self.by)
        return f"{spell_part(self.inner)} spread {over} (+{by})"


def stable_offset(name: str, over: int) -> int:
    """A number of seconds from 0 to before ``over`` that a name always has, on every machine."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % over
