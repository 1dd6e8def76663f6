"""``clock next``: upcoming occurrences, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Clock


def test_json_is_one_object_a_line_ordered_by_time_then_file_order(
    clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "same.py"
    file.write_text(
        "from clock import every\n"
        "every('day', 'tasks.b', at='01:00')\n"
        "every('day', 'tasks.a', at=['00:30', '01:00'])\n"
    )
    occurrences = _occurrences(
        clock, file, "--from", "2026-01-01T00:00Z", "--until", "2026-01-01T01:00Z"
    )
    assert [(occurrence["event"], occurrence["scheduled_at"]) for occurrence in occurrences] == [
        ("tasks.a", "2026-01-01T00:30:00Z"),
        ("tasks.b", "2026-01-01T01:00:00Z"),
        ("tasks.a", "2026-01-01T01:00:00Z"),
    ]


def test_a_line_has_event_instant_local_time_zone_and_mark(clock: Clock, schedule: Path) -> None:
    (occurrence,) = _occurrences(
        clock, schedule, "--from", "2026-11-21T00:00Z", "-n", "1", "--event", "night"
    )
    assert occurrence == {
        "event": "night",
        "scheduled_at": "2026-11-21T01:30:00Z",
        "local": "2026-11-21T02:30:00+01:00",
        "tz": "Europe/Berlin",
        "mark": None,
        "due_at": "2026-11-21T01:30:00Z",
        "conditional": False,
    }


def test_an_occurrence_with_jitter_is_shown_when_it_is_due(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "jitter.py"
    file.write_text(
        "from clock import every\nevery('hour', 'tasks.a', jitter='20m')\n"
        "every('hour', 'tasks.b', at='**:10')\n"
    )
    line = ("next", str(file), "--from", "2026-01-01T00:30Z", "-n", "2", "--json")
    shop, other = (
        [json.loads(line_) for line_ in clock(*line, "--app", app)[1].splitlines()]
        for app in ("shop", "mail")
    )
    (first,) = [occurrence for occurrence in shop if occurrence["event"] == "tasks.a"]
    assert first["scheduled_at"] == "2026-01-01T01:00:00Z"
    assert "2026-01-01T01:00:00Z" < first["due_at"] < "2026-01-01T01:20:00Z"
    assert [occurrence["due_at"] for occurrence in shop] == sorted(
        occurrence["due_at"] for occurrence in shop
    )
    assert shop != other
    assert " +" in clock(*line[:-1], "--app", "shop")[1]


def test_a_time_the_clocks_jump_over_is_marked_gap(clock: Clock, schedule: Path) -> None:
    occurrences = _occurrences(
        clock, schedule, "--from", "2027-03-27T12:00Z", "-n", "1", "--event", "night"
    )
    assert (occurrences[0]["local"], occurrences[0]["mark"]) == ("2027-03-28T03:00:00+02:00", "gap")


def test_a_time_that_comes_twice_is_marked_fold(clock: Clock, schedule: Path) -> None:
    occurrences = _occurrences(
        clock, schedule, "--from", "2026-10-24T12:00Z", "-n", "2", "--event", "night"
    )
    assert [(occurrence["local"], occurrence["mark"]) for occurrence in occurrences] == [
        ("2026-10-25T02:30:00+02:00", "fold"),
        ("2026-10-26T02:30:00+01:00", None),
    ]


def test_from_is_exclusive_and_until_inclusive(clock: Clock, schedule: Path) -> None:
    span = ("--from", "2026-11-21T10:00Z", "--until", "2026-11-21T12:00Z", "--event", "hourly")
    assert [occurrence["scheduled_at"] for occurrence in _occurrences(clock, schedule, *span)] == [
        "2026-11-21T11:00:00Z",
        "2026-11-21T12:00:00Z",
    ]


def test_an_instant_without_an_offset_is_local_time_of_the_schedule(
    clock: Clock, schedule: Path
) -> None:
    occurrences = _occurrences(
        clock, schedule, "--from", "2026-11-21T02:00", "-n", "1", "--event", "night"
    )
    assert occurrences[0]["local"] == "2026-11-21T02:30:00+01:00"


def test_without_a_number_or_an_end_there_are_ten(clock: Clock, schedule: Path) -> None:
    assert len(_occurrences(clock, schedule)) == 10


def test_a_disabled_event_is_shown_only_by_its_name(clock: Clock, schedule: Path) -> None:
    span = ("--from", "2026-11-21T00:00Z", "--until", "2026-11-30T00:00Z")
    assert "off" not in {occurrence["event"] for occurrence in _occurrences(clock, schedule, *span)}
    assert len(_occurrences(clock, schedule, *span, "--event", "off")) == 1


def test_the_table_is_for_people(clock: Clock, schedule: Path) -> None:
    code, out, err = clock("next", str(schedule), "--from", "2027-03-28T00:00", "-n", "3")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "WHEN                           ZONE           EVENT   MARK",
        "Sun 2027-03-28 01:00:00 +0100  Europe/Berlin  hourly",
        "Sun 2027-03-28 03:00:00 +0200  Europe/Berlin  night   gap",
        "Sun 2027-03-28 03:00:00 +0200  Europe/Berlin  hourly",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--event", "nihgt"), "there is no event 'nihgt'; the events are night, hourly, off"),
        (("--from", "yesterday"), "'yesterday' is not an instant like"),
        (("-n", "0"), "0 is not in the range"),
    ],
)
def test_an_invalid_option_is_one_line_and_exit_code_2(
    words: tuple[str, ...], message: str, clock: Clock, schedule: Path
) -> None:
    code, out, err = clock("next", str(schedule), *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def _occurrences(clock: Clock, file: Path, *words: str) -> list[dict[str, object]]:
    code, out, err = clock("next", str(file), "--json", *words)
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]
