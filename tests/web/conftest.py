"""The web UI and the API over a real server, in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from clock.web.access import Access
from clock.web.application import application
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched
from tests.web.requests import Web

TOKEN = "a-token-of-tests"

COOKIE = "clock_session_test_default"
"""Of the application ``test`` on the default port."""

StartWeb = Callable[..., Web]


def access(*, actions: bool = True, arguments: bool = False) -> Access:
    """Who has the token may do everything, or only read."""
    return Access(
        password=None, token=TOKEN, actions=actions, arguments=arguments, secret=b"secret"
    )


@pytest.fixture
def start_web(redis: Redis) -> StartWeb:
    """The application ``test`` over ``redis``, or over another connection."""

    def start(
        connection: Redis | None = None,
        *,
        now: Callable[[], float] = lambda: START + 30,
        actions: bool = True,
        arguments: bool = False,
        serializer: str = "pickle",
    ) -> Web:
        made = application(
            connection or redis,
            access=access(actions=actions, arguments=arguments),
            app="test",
            serializer=serializer,
            allowed=["tests.jobs.working.say", "tests.jobs.working.fail"],
            now=now,
        )
        return Web(made, {"authorization": f"Bearer {TOKEN}"})

    return start


@pytest.fixture
def web(start_web: StartWeb) -> Web:
    """The application ``test``, thirty seconds after ``START``."""
    return start_web()


@pytest.fixture
def clock(redis: Redis, read: ReadSchedule) -> Watched:
    """A clock of ``test`` that ran for 25 seconds."""
    schedule = read(
        "every('10 seconds', 'tests.jobs.working.say', name='ten')",
        "every('day', 'tests.jobs.working.say', name='a/b ü', at='02:30', tz='Europe/Berlin')",
    )
    watched = Watched(redis, schedule)
    watched.turn(range(25))
    return watched
