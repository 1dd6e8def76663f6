"""Importing a crontab: the same times as Debian's cron, and every line is accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from clock.importing.crontab import read_crontab
from clock.importing.imported import Imported
from clock.importing.schedule_text import schedule_text
from tests.importing import debian
from tests.importing.crontabs import FORUM, SHOP, SYSTEM
from tests.importing.written import a_year_of, events_of

FILES = {
    "shop": read_crontab(SHOP, "shop", zone="Europe/Berlin"),
    "system": read_crontab(SYSTEM, "crontab", zone="UTC", has_users=True),
    "forum": read_crontab(FORUM, "forum", zone="Asia/Tokyo"),
}
ZONES = {"shop": "Europe/Berlin", "system": "UTC", "forum": "America/New_York"}
COUNTS = {"shop": 6, "system": 5, "forum": 6}


@pytest.mark.parametrize("name", FILES)
def test_a_year_of_each_line_is_that_of_debians_cron(name: str, tmp_path: Path) -> None:
    imported = FILES[name]
    events = events_of(imported, tmp_path)
    assert len(events) == COUNTS[name]
    for line, event in zip(imported.events, events.values(), strict=True):
        expected = debian.runs(line.period.strip('"'), ZONES[name])
        assert expected
        assert a_year_of(event) == expected, line.period


def _messages(imported: Imported) -> dict[str, str]:
    return {item.source: item.message for item in imported.left_out}


def test_what_has_no_counterpart_is_reported_with_its_line() -> None:
    messages = _messages(FILES["shop"])
    assert list(messages) == ["shop:3", "shop:4", "shop:5", "shop:12", "shop:15"]
    assert messages["shop:4"].startswith("MAILTO has no counterpart: nothing sends mail")
    assert messages["shop:12"].startswith("'@reboot' has no counterpart")
    assert messages["shop:15"].startswith("'%' has no counterpart")


def test_a_user_is_reported_once() -> None:
    assert list(_messages(FILES["system"])) == ["crontab:3", "crontab:7"]


def test_a_line_that_cron_reads_otherwise_is_left_out_with_what_to_write() -> None:
    messages = _messages(FILES["forum"])
    assert list(messages) == ["forum:6", "forum:10"]
    assert messages["forum:6"].endswith("write '5-59/15' for '5/15'")


def test_the_same_command_twice_gets_two_names(tmp_path: Path) -> None:
    names = list(events_of(FILES["forum"], tmp_path))
    assert [name for name in names if "lunch" in name] == [
        "/opt/forum/bin/lunch",
        "/opt/forum/bin/lunch 2",
    ]


def test_the_file_keeps_comments_and_asks_for_a_shell_only_where_it_is_needed() -> None:
    text, _ = schedule_text(FILES["shop"])
    assert "# the nightly copy of the shop\nevery(\n" in text
    assert 'command("/usr/bin/python3 /srv/shop/manage.py sync_orders"))\n' in text
    assert 'command("pg_dump shop > /backup/shop-$(date +%F).sql", shell=True))\n' in text
    assert "defaults(timeout=-1)\n" in text


def test_an_event_that_the_clock_does_not_take_is_left_out_of_the_file() -> None:
    imported = read_crontab("0 0 31 2 * /bin/true\n0 1 * * * /bin/true\n", "c", zone="UTC")
    text, left_out = schedule_text(imported)
    assert text.count("every(") == 1
    assert [str(item) for item in left_out] == [
        "c:1: cron('0 0 31 2 *') never fires: no year has such a day"
    ]
