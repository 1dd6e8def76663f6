"""``clock list``: the events of a schedule."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Clock


def test_the_table_has_every_event_with_its_zone_and_next_time(
    clock: Clock, schedule: Path
) -> None:
    code, out, err = clock("list", str(schedule))
    head, night, hourly, off, _, summary = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split() == ["EVENT", "EVERY", "ZONE", "NEXT", "QUEUE", "TASK"]
    assert night.startswith("night   day at 02:30")
    assert " 02:30:00 +0" in night
    assert "cron 0 * * * *" in hourly
    assert "disabled" in off
    assert summary == "3 events, zone Europe/Berlin"


def test_json_is_one_object_an_event(clock: Clock, schedule: Path) -> None:
    code, out, _ = clock("list", str(schedule), "--json")
    night, hourly, off = map(json.loads, out.splitlines())
    assert code == 0
    assert (night["event"], night["task"], night["line"]) == ("night", "json.dumps", 4)
    assert (hourly["queue"], hourly["tz"]) == ("io", "Europe/Berlin")
    assert hourly["next"].endswith(":00:00Z")
    assert (off["enabled"], off["next"]) == (False, None)
