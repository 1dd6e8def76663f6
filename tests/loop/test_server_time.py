"""The estimate of the server's time, on clocks that are set by hand."""

from __future__ import annotations

import logging

import pytest

from clock.loop.server_time import READ_EVERY, ServerTime

START = 1_800_000_000.0


class World:
    """Three clocks: the server's, this host's wall clock, and its monotonic one."""

    def __init__(self, *, wall_offset: float = 0.0, hold: float = 300.0) -> None:
        self.passed = 0.0
        self.server_offset = 0.0
        self.wall_offset = wall_offset
        self.time = ServerTime(monotonic=lambda: self.passed, wall=self.wall, hold=hold)

    def server(self) -> float:
        return START + self.passed + self.server_offset

    def wall(self) -> float:
        return START + self.passed + self.wall_offset

    def read(self, there: float = 0.0, back: float = 0.0) -> None:
        """Ask the server: the request takes ``there`` seconds, its reply ``back``."""
        started = self.time.started()
        self.passed += there
        server = self.server()
        self.passed += back
        self.time.read(server, started)

    def error(self) -> float:
        """How far the estimate is ahead of the server's time."""
        return self.time.now() - self.server()


@pytest.mark.parametrize("offset", [-600.0, -3.0, 0.0, 12.0, 400 * 86_400.0])
def test_the_estimate_is_the_servers_time_whatever_the_wall_clock_says(offset: float) -> None:
    world = World(wall_offset=offset)
    world.read()
    world.passed += 4
    assert world.error() == pytest.approx(0)
    assert world.time.wall_offset == pytest.approx(offset)


def test_the_estimate_is_never_ahead_and_behind_by_the_shortest_way_back() -> None:
    world = World()
    errors = []
    for there, back in ((0.2, 0.2), (0.2, 0.05), (0.01, 0.3), (0.3, 0.1)):
        world.read(there, back)
        errors.append(world.error())
    assert max(errors) <= 1e-6
    assert errors[-1] == pytest.approx(-0.05, abs=1e-5)


def test_a_wall_clock_that_is_set_while_it_runs_moves_nothing() -> None:
    world = World()
    world.read()
    world.wall_offset = 3600
    assert world.time.is_stale()
    world.read()
    assert not world.time.is_held
    assert world.error() == pytest.approx(0)


def test_a_wall_clock_that_is_off_is_a_warning_with_the_number_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(wall_offset=12.5)
    with caplog.at_level(logging.INFO, logger="clock"):
        for _ in range(3):
            world.read()
            world.passed += READ_EVERY
        world.wall_offset = 0
        world.read()
    said = [(record.levelname, record.__dict__["fields"]["offset"]) for record in caplog.records]
    assert said == [("WARNING", 12.5), ("INFO", 0.0)]
    assert "12.5 s ahead of the server's" in caplog.records[0].__dict__["fields"]["reason"]


@pytest.mark.parametrize("jump", [30.0, -30.0, 600.0, -600.0, 400 * 86_400.0])
def test_a_jump_of_the_server_is_held_until_five_minutes_have_passed(jump: float) -> None:
    world = World()
    world.read()
    world.server_offset = jump
    for _ in range(300):
        world.passed += 1
        world.read()
        if world.passed < 301:
            assert world.time.is_held
    world.passed += 1
    world.read()
    assert not world.time.is_held
    assert world.error() == pytest.approx(0)


def test_a_jump_that_the_wall_clock_agrees_with_is_followed_at_once() -> None:
    world = World()
    world.read()
    world.server_offset = world.wall_offset = -600
    world.read()
    assert not world.time.is_held
    assert world.error() == pytest.approx(0)


def test_a_host_that_was_suspended_goes_on_at_once_even_where_its_wall_clock_is_off() -> None:
    world = World(wall_offset=12)
    world.read()
    # The monotonic clock stood still meanwhile.
    world.server_offset, world.wall_offset = 3600, 3612
    assert world.time.is_stale()
    world.read()
    assert not world.time.is_held
    assert world.error() == pytest.approx(0)


def test_a_server_that_jumps_and_jumps_back_was_never_believed() -> None:
    world = World()
    world.read()
    before = world.time.now()
    world.server_offset = 400 * 86_400
    world.read()
    assert world.time.is_held
    assert world.time.now() == before
    world.server_offset = 0
    world.read()
    assert not world.time.is_held
    assert world.error() == pytest.approx(0)


def test_while_it_is_held_the_servers_time_is_what_others_are_shown() -> None:
    world = World()
    world.read()
    world.server_offset = 30
    world.read()
    world.passed += 2
    assert world.time.newest() == pytest.approx(world.server())


def test_a_wall_clock_that_comes_to_agree_ends_the_hold() -> None:
    world = World()
    world.read()
    world.server_offset = 30
    world.read()
    assert world.time.is_held
    world.wall_offset = 30.4
    world.read()
    assert not world.time.is_held


def test_a_slow_line_is_no_jump_and_is_given_more_time_with_each_refusal() -> None:
    world = World()
    world.read()
    for _ in range(4):
        world.time.refused()
    world.read(there=8.0)
    assert not world.time.is_held
    assert world.time.latest() - world.time.now() == pytest.approx(16)


def test_a_drift_of_the_monotonic_clock_is_followed_and_is_no_jump() -> None:
    world = World()
    world.read()
    for _ in range(100):
        world.passed += READ_EVERY
        world.server_offset += 0.0005
        world.read(0.0001, 0.0001)
        assert not world.time.is_held
        assert abs(world.error()) < 0.001
