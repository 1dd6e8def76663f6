"""The page in a real browser, over a real clock, a real worker and a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from redis import Redis

from clock.ledger.pauses import read_pauses
from tests.browser.conftest import OpenPage, StartWeb
from tests.live.conftest import StartClock, StartWorker, WriteSchedule

NAME = "<script>alert(1)</script>"

DAILY = "every('day', 'work.add', at='03:00', args=[1, 2], name='adding')"
MONTHLY = "every('month', 'work.fail', on='last friday', at='23:30', tz='Europe/Berlin')"
HOSTILE = f"every(cron('*/15 9-18 * * mon-fri'), 'work.add', name={NAME!r})"

EVENTS = "#events tbody tr"


@pytest.fixture
def address(write_schedule: WriteSchedule, start_clock: StartClock, start_web: StartWeb) -> str:
    """Where the page of a running clock is, with actions enabled."""
    start_clock(write_schedule(DAILY, MONTHLY, HOSTILE)).wait_for_line("next")
    return start_web("--allow-actions").address()


def test_the_page_lists_the_events_of_the_schedule_file(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    expect(page.locator(EVENTS)).to_have_count(3)
    expect(page.locator("#clocks")).to_contain_text("1 clock alive")
    row = page.get_by_role("row").filter(has_text="work.fail")
    expect(row).to_contain_text("on the last Friday of every month at 23:30")
    title = row.get_by_role("rowheader").get_attribute("title")
    assert title == "work.fail\nwork.fail on default\nmonth on last friday at 23:30, Europe/Berlin"
    expect(row).to_contain_text("never run")
    expect(page.get_by_role("rowheader", name=NAME)).to_be_visible()


def test_run_now_runs_the_job_and_updates_the_row_without_a_reload(
    address: str, open_page: OpenPage, start_worker: StartWorker
) -> None:
    start_worker("default").wait_until_listening()
    page = open_page(address)
    page.evaluate("window.isTheSame = true")
    page.get_by_label("Actions on adding").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("adding was enqueued.")
    expect(page.locator(EVENTS, has_text="adding")).to_contain_text("succeeded")
    assert page.evaluate("window.isTheSame")
    expect(page.get_by_label("Actions on adding")).to_be_focused()


def test_what_a_run_printed_is_a_click_away_from_its_event(
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_web: StartWeb,
    open_page: OpenPage,
    start_worker: StartWorker,
    work_folder: Path,
) -> None:
    (work_folder / "shout.py").write_text(
        "def shout():\n"
        f"    print({NAME!r}, '\\x1b[31mred\\x1b[0m', 'ü')\n"
        "    raise ValueError('no')\n"
    )
    start_clock(write_schedule("every('day', 'shout.shout', at='03:00')")).wait_for_line("next")
    start_worker("default").wait_until_listening()
    page = open_page(f"{start_web('--allow-actions').address()}/event?name=shout.shout")
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("link", name="output of ").click()
    expect(page.locator("pre")).to_have_text(f"{NAME} red ü\n")
    expect(page.get_by_text("failed", exact=True)).to_be_visible()
    page.get_by_role("link", name="shout.shout").click()
    page.get_by_role("link", name=re.compile("^job shout-shout-")).click()
    expect(page.get_by_role("heading", name="Output")).to_be_visible()
    output = page.get_by_role("region", name="Output")
    expect(output.locator("pre")).to_have_text(f"{NAME} red ü\n")


def test_a_pause_with_a_reason_survives_a_restart_of_the_clock(
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_web: StartWeb,
    open_page: OpenPage,
    redis: Redis,
) -> None:
    file = write_schedule(DAILY)
    clock = start_clock(file)
    clock.wait_for_line("next")
    page = open_page(start_web("--allow-actions").address())
    page.get_by_label("Actions on adding").click()
    page.get_by_role("link", name="Pause… adding").click()
    page.get_by_label("Reason").fill("the disk is <full>")
    page.get_by_label("in four hours").check()
    page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    row = page.locator(EVENTS)
    expect(row).to_contain_text("by web, ends in 3 h 59 min: the disk is <full>")
    clock.kill()
    start_clock(file).wait_for_line("next")
    page.reload()
    expect(row).to_contain_text("paused")
    expect(row).to_contain_text("the disk is <full>")
    page.get_by_label("Actions on adding").click()
    page.get_by_role("button", name="Resume adding").click()
    expect(row).not_to_contain_text("paused")
    assert read_pauses(redis, "clock") == {}


def test_the_web_ui_works_without_javascript(
    address: str, open_page: OpenPage, start_worker: StartWorker
) -> None:
    start_worker("default").wait_until_listening()
    page = open_page(address, java_script_enabled=False)
    page.get_by_label("Search").fill("last friday")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(f"{EVENTS}:visible")).to_have_count(1)
    page.goto(address)
    page.get_by_role("link", name="Event", exact=True).click()
    expect(page.locator(EVENTS).nth(1)).to_contain_text("adding")
    page.get_by_label("Actions on adding").click()
    page.get_by_role("button", name="Run now adding").click()
    expect(page.get_by_role("status").first).to_have_text("adding was enqueued.")
    page.get_by_role("button", name="UTC").click()
    expect(page.get_by_role("button", name="UTC")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="queue", exact=True).click()
    expect(page.locator(EVENTS)).to_have_count(1)
    page.get_by_role("link", name="default").click()
    expect(page.locator(EVENTS)).to_have_count(4)
    page.get_by_label("Actions on adding").click()
    page.get_by_role("link", name="Pause… adding").click()
    page.get_by_label("Reason").fill("no reason")
    page.get_by_label("Time, on the event's clock").fill("2001-01-01T09:30")
    page.get_by_role("radio", name="at", exact=True).check()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("alert")).to_have_text("That time is past.")
    page.get_by_label("it is resumed").check()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").first).to_have_text("adding is paused.")
    expect(page.get_by_role("heading", name="adding")).to_be_visible()


def test_everything_can_be_done_by_keyboard(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("adding")
    expect(page.locator(f"{EVENTS}:visible")).to_have_count(1)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.nodeName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Run now adding")).to_be_hidden()
    expect(page.get_by_label("Actions on adding")).to_be_focused()


def test_sorting_and_searching_need_no_reload_and_survive_one(
    address: str, open_page: OpenPage
) -> None:
    page = open_page(address)
    page.evaluate("window.isTheSame = true")
    page.get_by_role("link", name="Event", exact=True).click()
    page.get_by_role("link", name="Event", exact=True).click()
    expect(page.locator(EVENTS).first).to_contain_text("work.fail")
    page.get_by_label("Search").fill("never work")
    page.get_by_label("Search").fill("fail")
    expect(page.locator(f"{EVENTS}:visible")).to_have_count(1)
    assert page.evaluate("window.isTheSame")
    page.reload()
    expect(page.locator(f"{EVENTS}:visible")).to_have_count(1)
    page.get_by_label("Search").fill("")
    expect(page.locator(EVENTS).first).to_contain_text("work.fail")
