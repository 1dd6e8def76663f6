"""Log lines in their three shapes."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest

from clock.log import Style, fields_shown, log_to

SCHEDULED = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=9)))

Write = Callable[..., str]


@pytest.fixture
def write() -> Iterator[Write]:
    handlers = []

    def written(style: Style, message: str, *, colour: bool = False, **fields: object) -> str:
        stream = io.StringIO()
        handlers.append(log_to(stream, style, colour=colour))
        logging.getLogger("clock").info(message, extra={"fields": fields})
        return stream.getvalue()

    yield written
    for handler in handlers:
        logging.getLogger("clock").removeHandler(handler)
    logging.getLogger("clock").propagate = True


def test_logfmt_is_keys_and_values_with_instants_in_utc(write: Write) -> None:
    line = write("logfmt", "enqueued", event="tasks.x", scheduled_at=SCHEDULED, lateness=0.003)
    assert line.startswith("ts=2")
    assert line.endswith(
        "level=info msg=enqueued event=tasks.x scheduled_at=2026-11-21T00:30:00Z lateness=0.003\n"
    )


def test_logfmt_quotes_what_has_spaces_quotes_or_line_ends(write: Write) -> None:
    line = write("logfmt", "server away", reason='it said "no"\nand hung up')
    assert 'msg="server away" reason="it said \\"no\\"\\nand hung up"' in line
    assert line.count("\n") == 1


def test_json_is_one_object_a_line_with_numbers_as_numbers(write: Write) -> None:
    line = write("json", "enqueued", event="täglich", scheduled_at=SCHEDULED, lateness=0.003)
    found = json.loads(line)
    assert (found["msg"], found["event"], found["lateness"]) == ("enqueued", "täglich", 0.003)
    assert found["scheduled_at"] == "2026-11-21T00:30:00Z"
    assert line.count("\n") == 1


def test_a_terminal_shows_the_event_first_and_its_local_time(write: Write) -> None:
    line = write("terminal", "enqueued", event="tasks.x", scheduled_at=SCHEDULED)
    assert line[8:] == " enqueued    tasks.x scheduled_at=2026-11-21T09:30:00+09:00\n"


def test_colour_is_only_where_it_is_asked_for(write: Write) -> None:
    assert "\x1b" not in write("terminal", "enqueued", event="tasks.x")
    assert "\x1b[32m" in write("terminal", "enqueued", colour=True, event="tasks.x")


def test_fields_without_a_value_are_left_out(write: Write) -> None:
    assert "job" not in write("logfmt", "enqueued", job=None)


def test_fields_that_were_put_into_the_message_are_there_once_in_our_own_lines(
    write: Write,
) -> None:
    with fields_shown(), fields_shown():
        line = write("logfmt", "enqueued", event="tasks.x")
    assert line.endswith(" msg=enqueued event=tasks.x\n")


def test_many_events_told_at_once_have_a_line_each_in_the_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("clock")
    extra = {"fields": {"event": None, "queue": "q"}, "each": [{"event": "a"}, {"event": "b"}]}
    with caplog.at_level(logging.INFO, logger="clock"):
        with fields_shown():
            logger.info("enqueued", extra=extra)
        logger.info("enqueued", extra=extra)
    assert caplog.messages == ["enqueued event=a queue=q\nenqueued event=b queue=q", "enqueued"]
