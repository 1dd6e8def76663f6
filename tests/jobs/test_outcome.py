from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from clock.jobs.outcome import Abort, Outcome, Retry, Skip, Table, check_table, meaning_of


@pytest.mark.parametrize(
    ("in_", "seconds"),
    [(None, None), (0, 0), (90, 90), ("5m", 300), (timedelta(hours=1), 3600)],
)
def test_a_retry_knows_its_delay_in_whole_seconds(in_: Any, seconds: int | None) -> None:
    assert Retry(in_=in_).in_ == seconds


def test_a_retry_in_an_invalid_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon' is not a duration"):
        Retry(in_="soon")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Retry(in_=5, reason="the feed is being written"), "the feed is being written"),
        (Retry(), "to be run again"),
        (Abort("no such customer"), "no such customer"),
        (Skip(), "skipped"),
        (Skip({"rows": 0}), "skipped: {'rows': 0}"),
    ],
)
def test_an_outcome_says_in_a_failed_jobs_text_what_it_is(outcome: Outcome, text: str) -> None:
    assert str(outcome) == text


@pytest.mark.parametrize("outcome", [Retry(in_="5m", reason="busy"), Abort("no"), Skip([1])])
def test_an_outcome_can_be_copied_and_so_pickled(outcome: Outcome) -> None:
    for twin in (copy.copy(outcome), copy.deepcopy(outcome)):
        assert type(twin) is type(outcome)
        assert vars(twin) == vars(outcome)


@pytest.mark.parametrize("outcome", [Retry(in_=7), Abort("no"), Skip(1)])
def test_an_outcome_means_itself_whatever_the_table_says(outcome: Outcome) -> None:
    assert meaning_of(outcome, {Exception: Skip, Retry: Abort, Abort: Skip, Skip: Retry}) is outcome


def test_an_error_that_the_table_does_not_name_is_a_failure() -> None:
    assert meaning_of(ValueError("x"), {KeyError: Retry}) is None
    assert meaning_of(ValueError("x"), {}) is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError("gone"), Skip),
        (ConnectionError("away"), Retry),
        (FileNotFoundError("none"), Abort),
    ],
)
def test_the_nearest_class_decides_in_whatever_order_the_table_is(
    error: Exception, expected: type[Outcome]
) -> None:
    lines: list[tuple[Any, Any]] = [
        (OSError, Abort),
        (ConnectionError, Retry),
        ("ConnectionResetError", Skip),
    ]
    for table in (dict(lines), dict(reversed(lines))):
        assert type(meaning_of(error, table)) is expected


@pytest.mark.parametrize(
    "name",
    ["json.JSONDecodeError", "json.decoder.JSONDecodeError", "ValueError", "builtins.ValueError"],
)
def test_a_class_may_be_named_wherever_it_can_be_imported_from(name: str) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert isinstance(meaning_of(caught.value, {name: Skip}), Skip)


def test_a_name_that_nothing_has_means_nothing() -> None:
    table: Table = {"no.such.Error": Skip, "json.NoSuchError": Skip, "json.__all__": Skip}
    assert meaning_of(ValueError("x"), table) is None


class Holder:
    class Nested(Exception):
        pass


def test_a_class_within_a_class_may_be_named() -> None:
    named: Table = {f"{__name__}.Holder.Nested": Skip}
    assert isinstance(meaning_of(Holder.Nested(), named), Skip)


def test_an_outcome_of_the_table_is_used_again_and_again_and_never_changed() -> None:
    written = Retry(in_="5m")
    first = meaning_of(OSError("one"), {OSError: written})
    second = meaning_of(OSError("two"), {OSError: written})
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert (first.in_, first.reason) == (300, "OSError: one")
    assert (second.in_, second.reason) == (300, "OSError: two")
    assert written.reason == ""


def test_a_reason_that_the_table_gives_is_kept() -> None:
    retried = meaning_of(OSError("x"), {OSError: Retry(reason="the disk is being changed")})
    aborted = meaning_of(OSError("x"), {OSError: Abort("no disk")})
    assert str(retried) == "the disk is being changed"
    assert str(aborted) == "no disk"


def test_a_class_in_the_table_has_the_error_as_its_reason() -> None:
    assert str(meaning_of(OSError("x"), {OSError: Abort})) == "OSError: x"
    retried = meaning_of(OSError("x"), {OSError: Retry})
    assert isinstance(retried, Retry)
    assert (retried.in_, str(retried)) == (None, "OSError: x")
    skipped = meaning_of(OSError("x"), {OSError: Skip})
    assert isinstance(skipped, Skip)
    assert skipped.value is None


def test_the_value_of_a_skip_in_the_table_is_kept() -> None:
    skipped = meaning_of(OSError("x"), {OSError: Skip("nothing new")})
    assert isinstance(skipped, Skip)
    assert skipped.value == "nothing new"


def test_a_table_that_can_be_used_is_accepted() -> None:
    check_table({OSError: Retry, "a.B": Abort("no"), SystemExit: Skip(1), "KeyError": Skip})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({3: Retry}, "3 is neither an exception class nor the dotted name of one"),
        ({int: Retry}, "<class 'int'> is neither an exception class nor the dotted name of one"),
        ({"": Retry}, "'' is neither an exception class nor the dotted name of one"),
        ({OSError: "retry"}, "'retry' is none of Retry, Abort, Skip, nor one made of them"),
        ({OSError: Outcome()}, "Outcome() is none of Retry, Abort, Skip, nor one made of them"),
        ({OSError: int}, "<class 'int'> is none of Retry, Abort, Skip, nor one made of them"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        check_table(table)
    assert str(caught.value) == message
