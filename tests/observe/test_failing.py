"""Since when an event fails."""

from __future__ import annotations

from clock.observe.failing import failing
from clock.runs.run import Run, RunOutcome

NOW = 1_800_000_000


def runs(words: str) -> list[Run]:
    """Runs from the newest on: ``f``ailed, ``r``etried, ``s``ucceeded, skipped (``-``)."""
    outcomes = {
        "f": RunOutcome.FAILED,
        "a": RunOutcome.ABANDONED,
        "r": RunOutcome.RETRIED,
        "s": RunOutcome.SUCCEEDED,
        "-": RunOutcome.SKIPPED,
        "x": RunOutcome.STOPPED,
    }
    return [
        Run(
            event="e",
            scheduled=NOW - 60 * at,
            enqueued=NOW - 60 * at,
            started=NOW - 60 * at,
            ended=NOW - 60 * at + 5,
            outcome=outcomes[word],
            error=None,
            attempt=1,
            worker="w",
            job=f"j{at}",
        )
        for at, word in enumerate(words)
    ]


def test_it_fails_since_the_first_failure_after_the_last_run_that_went_well() -> None:
    streak = failing(runs("fraffsff"))
    assert streak is not None
    assert (streak.latest.job, streak.first.job, streak.jobs) == ("j0", "j4", 4)
    assert streak.since == NOW - 240
    assert streak.last_success is not None
    assert streak.last_success.job == "j5"


def test_a_skipped_run_ends_the_failures_but_is_no_success() -> None:
    streak = failing(runs("f-fs"))
    assert streak is not None
    assert (streak.first.job, streak.jobs) == ("j0", 1)
    assert streak.last_success is not None
    assert streak.last_success.job == "j3"


def test_without_a_success_it_fails_as_long_as_is_known() -> None:
    streak = failing(runs("fff"))
    assert streak is not None
    assert (streak.first.job, streak.last_success) == ("j2", None)


def test_an_event_whose_last_run_did_not_fail_is_not_failing() -> None:
    assert failing([]) is None
    for words in ("s", "sf", "-f", "rf", "xf"):
        assert failing(runs(words)) is None
