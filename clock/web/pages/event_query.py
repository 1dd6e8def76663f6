"""What the query of the list of events says: which events, in which order, which page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from clock.observe.selection import ORDERS, URGENCY, Selection
from clock.web.pages.event_groups import Grouping

MOST_OPEN = 50
"""Groups that may be open at once: they are in the address."""


_OWN = ("grouping", "opened", "page")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """``selection`` says which events; ``grouping`` is None where they are not in groups.
    ``opened`` are the names of the groups that are not folded, ``page`` counts from 1.
    """

    selection: Selection
    grouping: Grouping | None = None
    opened: frozenset[str] = frozenset()
    page: int = 1

    def address(self, **changed: Any) -> str:
        """The query of the same list with some members of the selection or of this ``changed``. It
        begins at the first page, unless ``page`` is given.
        """
        own = {
            name: changed.pop(name) for name in ("grouping", "opened", "page") if name in changed
        }
        query = replace(self, **{"page": 1, **own}, selection=replace(self.selection, **changed))
        return urlencode(query.fields())

    def sorted_by(self, key: str) -> str:
        """The query of the same list by a column; in the other direction, if it is by that one."""
        is_again = self.selection.sort == key and not self.selection.descending
        return self.address(sort=key, descending=is_again)

    def toggled(self, group: str) -> str:
        """The query of the same list with a group open that is folded, or the other way round."""
        return self.address(opened=self.opened ^ {group})

    def fields(self) -> Sequence[tuple[str, str]]:
        """The query's names and values, without those that say what is so anyway."""
        chosen = self.selection
        order = ("-" if chosen.descending else "") + chosen.sort
        pairs = [
            ("q", chosen.words), ("state", chosen.state or ""), ("queue", chosen.queue or ""),
            ("sort", "" if order == "state" else order), ("group", self.grouping or ""),
            *(("open", name) for name in sorted(self.opened) if self.grouping),
            ("page", "" if self.page == 1 else str(self.page)),
        ]  # fmt: skip
        return [(name, value) for name, value in pairs if value]


def parse_query(parameters: QueryParams) -> EventQuery:
    """The query of an address; what is not valid in it counts as missing."""
    order = parameters.get("sort", "state")
    sort, state = order.removeprefix("-"), parameters.get("state", "")
    page, grouping = parameters.get("page", ""), parameters.get("group", "")
    selection = Selection(
        words=parameters.get("q", ""),
        state=state if state in URGENCY else None,
        queue=parameters.get("queue") or None,
        sort=sort if sort in ORDERS else "state",
        descending=order.startswith("-") and sort in ORDERS,
    )
    return EventQuery(
        selection=selection,
        grouping=Grouping(grouping) if grouping in [*Grouping] else None,
        opened=frozenset(parameters.getlist("open")[:MOST_OPEN]),
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
    )
