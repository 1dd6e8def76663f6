"""One page of the list of events: its lines, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clock.observe.selection import count_states
from clock.observe.state import State
from clock.observe.status import AppStatus, EventStatus
from clock.web.pages.event_groups import Group, group
from clock.web.pages.event_query import EventQuery

LINES = 100
"""Lines of a page: events, and groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """``lines`` are groups and events. ``matching`` is the number of events that match, and
    ``counts`` how many of those that match but for their state are in each. ``page`` of ``pages``
    is shown.
    """

    lines: Sequence[Group | EventStatus]
    counts: Sequence[tuple[State, int]]
    matching: int
    page: int
    pages: int

    @property
    def events(self) -> list[EventStatus]:
        """The events among the lines."""
        return [line for line in self.lines if isinstance(line, EventStatus)]


def page_of(status: AppStatus, query: EventQuery) -> EventPage:
    """The page of the events of ``status`` that ``query`` asks for; the last one, if there are
    fewer.
    """
    of_any_state = query.selection.matching(status)
    matching = query.selection.of_state(of_any_state, status)
    lines: list[Group | EventStatus] = [*matching]
    if query.grouping is not None:
        lines = list(_grouped(group(matching, query.grouping, query.opened)))
    pages = max(-(-len(lines) // LINES), 1)
    page = min(query.page, pages)
    shown = lines[(page - 1) * LINES : page * LINES]
    if query.grouping is not None and shown and isinstance(shown[0], EventStatus):
        # Its group began on an earlier page.
        before = lines[: (page - 1) * LINES]
        shown.insert(0, next(line for line in reversed(before) if isinstance(line, Group)))
    return EventPage(
        lines=shown,
        counts=count_states(of_any_state),
        matching=len(matching),
        page=page,
        pages=pages,
    )


def _grouped(groups: Sequence[Group]) -> Iterator[Group | EventStatus]:
    for one in groups:
        yield one
        if one.is_open:
            yield from one.events
