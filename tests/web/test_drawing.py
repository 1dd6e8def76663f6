"""Rows, history bars, plots and heat maps."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from redis import Redis

from clock.observe.snapshot import read_snapshot
from clock.observe.status import EventStatus, status
from clock.observe.upcoming import Load
from clock.recurrence.zone import zone
from clock.runs.run import Run, RunOutcome
from clock.web.pages import heatmap, history_bars, quarter_map, timeline, times
from clock.web.pages.history_bars import Mark
from tests.conftest import ReadSchedule
from tests.loop.heartbeat import START, Watched

RUN = Run(
    event="x",
    scheduled=int(START),
    enqueued=START,
    started=START + 0.1,
    ended=START + 0.3,
    outcome=RunOutcome.SUCCEEDED,
    error=None,
    attempt=1,
    worker="w",
    job="j",
)


def test_history_bars_show_what_was_missed_without_a_clock(
    redis: Redis, read: ReadSchedule
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x')"))
    clock.turn(range(25))
    outcomes = {int(START) + 10: RunOutcome.FAILED, int(START) + 20: RunOutcome.SUCCEEDED}
    assert history_bars.marks(_event(redis, START + 25), outcomes, START + 25) == [
        Mark.FAILED,
        Mark.OK,
    ]
    # Nobody decides what passes now.
    gap = history_bars.marks(_event(redis, START + 65), outcomes, START + 65)
    assert gap == [Mark.FAILED, Mark.OK, *[Mark.OPEN] * 3]
    clock.turn([75])
    decided = history_bars.marks(_event(redis, START + 76), outcomes, START + 76)
    assert decided == [Mark.FAILED, Mark.OK, *[Mark.MISSED] * 4, Mark.FIRED]


def test_history_bars_are_limited_to_their_length(redis: Redis, read: ReadSchedule) -> None:
    clock = Watched(redis, read("every('1 second', 'tasks.x')"))
    clock.turn([0, 1, 2, 5000])
    marks = history_bars.marks(_event(redis, START + 5000), {}, START + 5000)
    assert len(marks) == history_bars.LENGTH
    assert history_bars.words([]) == "nothing yet"
    assert history_bars.words([Mark.OK, Mark.MISSED, Mark.OK]) == "last 3: 2 succeeded, 1 missed"


def test_every_outcome_of_a_run_has_its_shape_on_the_plot() -> None:
    runs = [
        replace(RUN, outcome=outcome, started=START + n) for n, outcome in enumerate(RunOutcome)
    ]
    drawn = timeline.draw(runs, zone("UTC"))
    for outcome in RunOutcome:
        assert f'class="o-{outcome}"' in drawn
    assert timeline.draw([], zone("UTC")) == ""


def test_runs_that_took_no_time_or_ages_stay_on_the_plot() -> None:
    lengths = (0.0, -0.5, 1e-9, 1e6)
    runs = [replace(RUN, ended=RUN.started + length) for length in lengths]
    for x, y in re.findall(r'cx="([-\d.]+)" cy="([-\d.]+)"', timeline.draw(runs, zone("UTC"))):
        assert 0 <= float(x) <= 960
        assert 0 <= float(y) <= 230


def test_an_hour_that_comes_twice_is_drawn_once_on_the_map() -> None:
    start = 1_792_886_400 - 3600  # 2026-10-25T00:00 in Berlin is 2026-10-24T22:00Z
    counts = [0] * 7 * 1440
    counts[600] = 4
    load = Load(start=start, counts=counts, worst=(), unknown=())
    levels, berlin = heatmap.steps(counts), zone("Europe/Berlin")
    drawn = heatmap.draw(load, levels, berlin, start, "4 in the fullest minute")
    assert drawn.count('class="h-') == 1
    assert "4 in the fullest minute" in drawn
    by_quarter = quarter_map.quarters(load)
    assert (by_quarter.start, len(by_quarter.counts), by_quarter.total) == (start, 7 * 96, 4)
    drawn = quarter_map.draw(by_quarter, levels, berlin, start, "4 in the fullest minute")
    assert drawn.count('class="h-') == 1
    assert "4 in the fullest minute" in drawn


@pytest.mark.parametrize("counts", [[], [0], [3, 3], [1, 2], [1, 100], list(range(50))], ids=str)
def test_the_levels_of_a_map_rise_from_its_emptiest_minute(counts: list[int]) -> None:
    levels = heatmap.steps(counts)
    assert levels == sorted(set(levels))
    assert 1 <= len(levels) <= heatmap.LEVELS
    assert levels[0] == min((count for count in counts if count), default=1)
    shades = [heatmap.shade(at, levels) for at in range(1, len(levels) + 1)]
    assert shades == sorted(set(shades))
    assert set(shades) <= set(range(1, heatmap.LEVELS + 1))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0008, "0.8 ms"), (0.4, "400 ms"), (4.2, "4.2 s"), (185, "3 min 5 s"), (None, "")],
)
def test_a_duration_is_rounded_for_reading(seconds: float | None, text: str) -> None:
    assert times.duration(seconds) == text


def test_an_instant_is_shown_in_its_zone() -> None:
    at = 1_803_889_800
    assert times.exact(at, zone("Europe/Berlin"), 2027) == "Mon 01 Mar 09:30:00 +01:00"
    assert times.exact(at + 5, zone("America/St_Johns"), 2027) == "Mon 01 Mar 05:00:05 -03:30"
    assert times.exact(10**12, zone("Asia/Tokyo")).startswith("Thu 30 Dec 9999 ")
    assert [times.relative(seconds) for seconds in (0.2, 65, -3)] == [
        "now",
        "in 1 min 5 s",
        "3 s ago",
    ]


def _event(redis: Redis, now: float) -> EventStatus:
    (event,) = status(read_snapshot(redis, "test"), now).events
    return event
