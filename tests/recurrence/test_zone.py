from __future__ import annotations

from datetime import datetime

import pytest
import pytz

from clock.errors import RecurrenceError
from clock.recurrence.zone import zone
from tests.recurrence.reading import seconds


def test_offsets_are_those_of_pytz() -> None:
    berlin, local = zone("Europe/Berlin"), pytz.timezone("Europe/Berlin")
    for month in range(1, 13):
        instant = seconds(f"2026-{month:02}-15T12:00")
        expected = datetime.fromtimestamp(instant, local).utcoffset()
        assert expected is not None
        assert berlin.offset(instant) == expected.total_seconds()


def test_a_zone_without_changes_has_one_offset_for_ever() -> None:
    assert zone("UTC").offset(seconds("2026-06-01T00:00")) == 0
    assert zone("Etc/GMT+3").offset(seconds("1900-06-01T00:00")) == -3 * 3600


def test_the_offset_after_the_last_known_change_holds() -> None:
    berlin = zone("Europe/Berlin")
    assert berlin.offset(seconds("2100-07-01T00:00")) == berlin.offsets[-1]


def test_an_instant_before_every_change_has_the_first_offset() -> None:
    assert zone("Europe/Berlin").offset(-(10**12)) == zone("Europe/Berlin").offsets[0]


def test_the_same_zone_asked_twice_is_one_object() -> None:
    assert zone("Asia/Tokyo") is zone("Asia/Tokyo")


def test_a_zone_in_other_letters_is_the_same_zone() -> None:
    assert zone("asia/tokyo") == zone("Asia/Tokyo")
    assert zone("asia/tokyo").name == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T02:30:00", "2026-03-29T01:00:00"),  # skipped: the first instant after
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00"),  # comes twice: the first pass
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        ("2050-01-01T00:00:00", "2049-12-31T23:00:00"),
    ],
)
def test_a_local_time_is_the_first_instant_that_shows_it(local: str, instant: str) -> None:
    assert zone("Europe/Berlin").instant(seconds(local)) == seconds(instant)


@pytest.mark.parametrize(
    ("instant", "repeated"),
    [
        ("2026-10-24T23:59:59", False),
        ("2026-10-25T00:00:00", True),
        ("2026-10-25T01:59:59", True),
        ("2026-10-25T02:00:00", False),
        ("2026-03-29T01:00:00", False),
    ],
)
def test_both_passes_of_the_repeated_hour_are_repeated(instant: str, repeated: bool) -> None:
    assert zone("Europe/Berlin").is_repeated(seconds(instant)) is repeated


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Europe/Berlim", "unknown zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?"),
        ("Berlin", "unknown zone 'Berlin'; did you mean 'Europe/Berlin'?"),
        ("tokio", "unknown zone 'tokio'; did you mean 'Asia/Tokyo'?"),
        ("../etc/passwd", "unknown zone '../etc/passwd'; zones are written like 'Europe/Berlin'"),
        ("", "unknown zone ''; zones are written like 'Europe/Berlin'"),
        ("Zürich", "unknown zone 'Zürich'; did you mean 'Europe/Zurich'?"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest_name(name: str, message: str) -> None:
    with pytest.raises(RecurrenceError) as caught:
        zone(name)
    assert str(caught.value) == message


def test_however_its_name_is_spelled_a_zone_is_in_memory_once() -> None:
    assert zone("eUROPE/bERLIN") is zone("Europe/Berlin")
    for number in range(2**12):
        spelled = "".join(
            letter.upper() if number >> place & 1 else letter
            for place, letter in enumerate("europe/berlin")
        )
        assert zone(spelled) is zone("Europe/Berlin")
    assert zone.cache_info().currsize <= 2048
