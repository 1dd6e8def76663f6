"""Check-ins for Sentry Crons, sent to a receiver on this machine by its own library."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
import sentry_sdk

from clock.runs.run import RunOutcome
from clock.watchers import sentry
from clock.watchers.ping import run_id
from clock.watchers.run import Watchers
from tests.watchers.receiver import Heard, Receiver, receiver


@pytest.fixture
def sentry_server() -> Iterator[Receiver]:
    """Where the library, which is started for the test, sends what it has."""
    with receiver() as found:
        sentry_sdk.init(
            dsn=f"http://key@127.0.0.1:{found.port}/1", default_integrations=False,
            auto_enabling_integrations=False,
        )  # fmt: skip
        yield found
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.get_global_scope().set_client(None)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (RunOutcome.SUCCEEDED, ["in_progress", "ok"]),
        (RunOutcome.FAILED, ["in_progress", "error"]),
        (RunOutcome.RETRIED, ["in_progress"]),
    ],
)
def test_a_run_checks_in_and_out(
    sentry_server: Receiver, outcome: RunOutcome, expected: list[str]
) -> None:
    run = Watchers(pings={}, monitors={"e": "nightly"}).begin("e", "job-1", 1)
    assert run is not None
    run.end(outcome, None)
    found = [each for heard in sentry_server.heard for each in _check_ins(heard)]
    assert [each["status"] for each in found] == expected
    assert {each["monitor_slug"] for each in found} == {"nightly"}
    assert {each["check_in_id"] for each in found} == {run_id("job-1:1").hex}


def test_where_the_library_was_not_started_nothing_is_told() -> None:
    assert not sentry_sdk.is_initialized()
    sentry.check_in("nightly", run_id("x"), "ok")
    sentry.flush()


def test_where_there_is_no_library_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentry_sdk", None)
    sentry.check_in("nightly", run_id("x"), "ok")
    sentry.flush()


def _check_ins(heard: Heard) -> Iterator[dict[str, str]]:
    body = gzip.decompress(heard.body) if heard.body[:2] == b"\x1f\x8b" else heard.body
    lines = [json.loads(line) for line in body.splitlines() if line]
    for head, content in pairwise(lines):
        if head.get("type") == "check_in" and "monitor_slug" in content:
            yield content
