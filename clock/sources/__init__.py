"""Sources: events that come and go while the clock runs, such as rows of a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

    from clock.loop.row_changes import RowChanges
    from clock.schedule.schedule import Schedule


@contextmanager
def asking_sources(
    connection: Redis, schedule: Schedule, *, app: str, token: str, serializer: str
) -> Iterator[RowChanges | None]:
    """The sources of ``schedule`` are asked while the block runs, which gets their changes; None
    where there are none, which costs nothing.
    """
    if not schedule.sources:
        yield None
        return
    from clock.connection.client import copy_client
    from clock.sources.service import SourceService

    service = SourceService(
        copy_client(connection), schedule, app=app, token=token, serializer=serializer
    )
    with service.running():
        yield service.changes
