"""``clock explain``: an event in words, and how clock changes affect it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Clock


def test_an_event_is_explained_in_words_with_its_times_and_clock_changes(
    clock: Clock, schedule: Path
) -> None:
    code, out, err = clock("explain", str(schedule), "night", "--from", "2026-12-24", "-n", "2")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "night",
        "  Every day at 02:30, in Europe/Berlin.",
        "  next    Thu 2026-12-24 02:30:00 +0100",
        "  next    Fri 2026-12-25 02:30:00 +0100",
        "  gap     on 2027-03-28 02:30 does not exist: fires at 03:00+02:00 instead",
        "  fold    on 2027-10-31 02:30 comes twice: fires once, at 02:30+02:00",
    ]


def test_without_a_name_every_event_is_explained(clock: Clock, schedule: Path) -> None:
    _, out, _ = clock("explain", str(schedule))
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == [
        "night",
        "hourly",
        "off",
    ]


def test_an_event_that_no_clock_change_affects_says_so(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "utc.py"
    file.write_text("from clock import every\nevery('day', 'tasks.x', at='02:30')\n")
    _, out, _ = clock("explain", str(file))
    assert out.endswith("  no clock change of the coming year affects it\n")


def test_json_is_one_object_an_event(clock: Clock, schedule: Path) -> None:
    words = ("night", "--json", "-n", "1", "--from", "2026-12-24T00:00Z")
    _, out, _ = clock("explain", str(schedule), *words)
    assert json.loads(out) == {
        "event": "night",
        "notes": [],
        "sentence": "Every day at 02:30, in Europe/Berlin.",
        "tz": "Europe/Berlin",
        "next": [
            {
                "scheduled_at": "2026-12-24T01:30:00Z",
                "local": "2026-12-24T02:30:00+01:00",
                "mark": None,
            }
        ],
        "changes": [
            {
                "kind": "gap",
                "at": "2027-03-28T01:00:00Z",
                "fires": ["2027-03-28T01:00:00Z"],
                "what": "on 2027-03-28 02:30 does not exist: fires at 03:00+02:00 instead",
            },
            {
                "kind": "fold",
                "at": "2027-10-31T01:00:00Z",
                "fires": ["2027-10-31T00:30:00Z"],
                "what": "on 2027-10-31 02:30 comes twice: fires once, at 02:30+02:00",
            },
        ],
    }


def test_an_unknown_event_is_refused_with_the_names_there_are(clock: Clock, schedule: Path) -> None:
    assert clock("explain", str(schedule), "nihgt") == (
        2,
        "",
        "clock: there is no event 'nihgt'; the events are night, hourly, off\n",
    )
