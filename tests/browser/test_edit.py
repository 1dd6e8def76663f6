"""Rows edited in a real browser, over a real clock and a real server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

import clock
from tests.browser.conftest import OpenPage, StartWeb
from tests.live.conftest import StartClock, WriteSchedule

ROWS = {
    "name": "nightly",
    "every": "day",
    "at": "02:30",
    "tz": "Europe/Berlin",
    "task": "work.add",
    "args": [1, 2],
}


@pytest.fixture
def address(write_schedule: WriteSchedule, start_clock: StartClock, start_web: StartWeb) -> str:
    """A web UI that may do everything, over a clock with rows that people edit."""
    file = write_schedule(
        "from clock import source, stored",
        "every('day', 'work.add', at='03:00', args=[1, 2], name='adding')",
        "source('console', stored(), tasks=['work.*'])",
    )
    start_clock(file).wait_for_line("next")
    return start_web("--allow-actions", "--show-arguments").address()


def fill(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def test_a_row_is_created_with_a_live_preview_edited_and_removed(
    address: str, redis: Redis, open_page: OpenPage
) -> None:
    page = open_page(address)
    page.get_by_role("link", name="New event").click()
    preview = page.locator("#preview")
    page.get_by_label("As text").check()
    fill(page, Period="sunday", At="02:30", Time_zone="Europe/Berlin")
    expect(preview).to_contain_text("on Sunday at 02:30")
    expect(preview.locator("li")).to_have_count(5)
    # Nothing was typed there yet.
    assert page.locator("[aria-invalid]").count() == 0

    fill(page, Name="letters", Task="os.system")
    task = page.get_by_label("Task")
    expect(task).to_have_attribute("aria-invalid", "true")
    expect(task).to_have_accessible_description(
        "Allowed here: work.*. 'os.system' is not allowed here; the source allows work.*"
    )
    page.get_by_label("Period").fill("sundya")
    expect(page.locator("#every-mistake")).to_contain_text("did you mean 'sunday'")
    fill(page, Task="work.add", Period="sunday")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    fill(page, Positional_arguments="[3, 4]")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#message")).to_contain_text("letters is saved")
    row = clock.events(redis)["letters"]
    assert (row.row["every"], row.row["args"], row.version) == ("sunday", [3, 4], 1)

    page.get_by_role("link", name="letters", exact=True).click()
    page.get_by_role("link", name="Edit…").click()
    expect(page.get_by_label("Name", exact=True)).to_have_count(0)
    page.get_by_label("Unit").select_option("day")
    expect(preview).to_contain_text("every day at 02:30")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#message")).to_contain_text("letters is saved")
    expect(page.locator("[data-part=facts]")).to_contain_text("version 2")

    page.get_by_role("button", name="Remove…").click()
    expect(page.get_by_role("heading")).to_have_text("Remove letters?")
    page.get_by_role("link", name="Cancel").click()
    assert "letters" in clock.events(redis)
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#message")).to_contain_text("letters is removed")
    assert clock.events(redis) == {}
    # Its clock has taken that over.
    expect(page.get_by_role("link", name="letters", exact=True)).to_have_count(0)


def test_a_row_is_edited_and_removed_with_scripts_off_on_a_phone(
    address: str, redis: Redis, open_page: OpenPage
) -> None:
    clock.put(redis, ROWS)
    page = open_page(
        f"{address}/edit?event=nightly",
        java_script_enabled=False,
        viewport={"width": 390, "height": 780},
    )
    expect(page.get_by_label("Period")).to_be_hidden()
    expect(page.get_by_label("Local time")).to_be_hidden()
    page.get_by_label("As text").check()
    expect(page.get_by_label("Unit")).to_be_hidden()
    page.get_by_label("Period").fill("dya")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Period")).to_have_accessible_description(
        re.compile("did you mean 'day'")
    )
    page.get_by_label("Period").fill("sunday")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("on Sunday at 02:30")
    assert clock.events(redis)["nightly"].version == 1
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/event?name=nightly&done=put*")
    assert clock.events(redis)["nightly"].row == ROWS | {"every": "sunday"}

    page.get_by_role("button", name="Remove…").click()
    expect(page.get_by_role("heading")).to_have_text("Remove nightly?")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#message")).to_have_text("nightly is removed.")
    assert clock.events(redis) == {}


def test_a_row_is_created_with_the_keyboard_alone(
    address: str, redis: Redis, open_page: OpenPage
) -> None:
    page = open_page(f"{address}/edit")
    page.get_by_label("Name", exact=True).focus()
    for key in ("Tab", "Tab"):
        page.keyboard.press(key)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.name") == "task"
    page.keyboard.type("work.add")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("typed")
    for key in ("Tab", "Tab", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.value") == "text"
    page.keyboard.press("Tab")
    page.keyboard.type("10 minutes")
    expect(page.locator("#preview")).to_contain_text("every 10 minutes")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("typed is saved")
    assert clock.events(redis)["typed"].row["every"] == "10 minutes"


def test_a_change_of_somebody_else_is_shown_beside_what_was_typed(
    address: str, redis: Redis, open_page: OpenPage
) -> None:
    clock.put(redis, ROWS)
    page = open_page(f"{address}/edit?event=nightly")
    clock.put(redis, ROWS | {"at": "04:00"}, by="ann")
    fill(page, At="05:00")
    page.get_by_role("button", name="Save").click()
    changed = page.get_by_role("region", name="ann changed it")
    expect(changed.locator("tbody tr")).to_have_text("at04:0005:00")
    expect(page.get_by_label("At", exact=True)).to_have_value("05:00")
    assert clock.events(redis)["nightly"].row["at"] == "04:00"
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/event?name=nightly&done=put*")
    assert clock.events(redis)["nightly"].row["at"] == "05:00"
