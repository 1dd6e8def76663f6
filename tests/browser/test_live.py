"""What changes on an open page by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from tests.browser.conftest import OpenPage, StartWeb
from tests.browser.test_sign_in import PEOPLE, sign_in
from tests.live.conftest import StartClock, WriteSchedule
from tests.web.test_people import ANN

SCHEDULE = [f"every('day', 'work.add', at='03:00', name='n{number}')" for number in range(4)]

ROWS = "#events tbody tr"


@pytest.fixture
def address(write_schedule: WriteSchedule, start_clock: StartClock, start_web: StartWeb) -> str:
    """Where the page of a running clock with four events is."""
    start_clock(write_schedule(*SCHEDULE)).wait_for_line("next")
    return start_web("--allow-actions").address()


def test_chips_strip_title_and_icon_change_without_a_reload(
    address: str, open_page: OpenPage, redis: Redis
) -> None:
    page = open_page(address)
    page.evaluate("window.isTheSame = true")
    chips, banner = page.locator(".states"), page.locator("#attention")
    expect(chips).not_to_contain_text("failing")
    expect(banner.locator("li")).to_have_count(1)  # no worker
    write_run(redis, "clock", _run("n2", RunOutcome.FAILED))
    expect(chips).to_contain_text("failing 1", timeout=10_000)
    expect(banner.locator("li").first).to_contain_text("n2 ValueError", use_inner_text=True)
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    assert "count=2" in (page.locator("link[rel=icon]").get_attribute("href") or "")
    expect(page.locator(ROWS).first).to_contain_text("n2")
    banner.get_by_role("button", name="Run now n2").click()
    expect(page.get_by_role("status").first).to_have_text("n2 was enqueued.")
    write_run(redis, "clock", _run("n2", RunOutcome.SUCCEEDED))
    expect(banner.locator("li")).to_have_count(1, timeout=10_000)
    expect(chips).not_to_contain_text("failing")
    assert page.evaluate("window.isTheSame")


def test_rows_do_not_move_under_a_pointer(address: str, open_page: OpenPage, redis: Redis) -> None:
    page = open_page(address)
    page.locator(ROWS).nth(1).hover()
    write_run(redis, "clock", _run("n3", RunOutcome.FAILED))
    row = page.locator(ROWS).nth(3)
    expect(row).to_contain_text("failing", timeout=10_000)
    expect(row).to_contain_text("n3")
    page.get_by_label("Search").hover()
    expect(page.locator(ROWS).first).to_contain_text("n3", timeout=10_000)


def test_a_menu_that_is_open_stays_open(address: str, open_page: OpenPage, redis: Redis) -> None:
    page = open_page(address)
    page.get_by_label("Actions on n1").click()
    write_run(redis, "clock", _run("n3", RunOutcome.FAILED))
    expect(page.locator(ROWS, has_text="n3")).to_contain_text("failing", timeout=10_000)
    expect(page.get_by_role("button", name="Run now n1")).to_be_visible()
    page.mouse.click(5, 5)
    expect(page.get_by_role("button", name="Run now n1")).to_be_hidden()


@pytest.mark.parametrize("path", ["/", "/queues"])
def test_a_session_that_has_ended_is_said_with_a_link_to_sign_in(
    start_web: StartWeb, open_page: OpenPage, path: str
) -> None:
    address = start_web("--allow-actions", CLOCK_WEB_USERS=PEOPLE).address()
    page = open_page(address + path)
    sign_in(page, "ann", ANN)
    expect(page).to_have_url(address + path)
    _sign_out_elsewhere(page)
    # As when the reader comes back to this window.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#alive")).to_have_text("Your session has ended. Sign in", timeout=10_000)
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "ann", ANN)
    expect(page).to_have_url(address + path)


def test_the_button_back_does_not_go_to_the_sign_in_page(
    start_web: StartWeb, open_page: OpenPage
) -> None:
    address = start_web("--allow-actions", CLOCK_WEB_USERS=PEOPLE).address()
    page = open_page(f"{address}/week")
    sign_in(page, "ann", ANN)
    expect(page).to_have_url(f"{address}/week")
    page.get_by_role("link", name="Audit", exact=True).click()
    page.go_back()
    expect(page).to_have_url(f"{address}/week")
    page.go_back()
    expect(page).to_have_url(f"{address}/week")
    expect(page.get_by_label("Password")).to_have_count(0)


def test_the_zone_that_is_chosen_is_that_of_all_pages(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}/event?name=n1", timezone_id="Asia/Kolkata")
    expect(page.locator("time.exact").first).to_contain_text("03:00:00 UTC")
    page.get_by_role("button", name="Mine").click()
    expect(page).to_have_url(f"{address}/event?name=n1")
    expect(page.locator("time.exact").first).to_contain_text("08:30:00 +05:30")
    page.goto(address)
    expect(page.locator(".next .exact").first).to_contain_text("08:30:00 +05:30")
    page.get_by_role("button", name="UTC").click()
    moment = page.locator(".next .moment").first
    expect(moment).to_contain_text("03:00:00 UTC")
    moment.locator("time").hover()
    expect(moment).to_have_attribute(
        "title", re.compile(r"08:30:00 Asia/(Kolkata|Calcutta) \(yours\)$")
    )


def test_the_list_is_searched_and_turned_without_a_reload(
    write_schedule: WriteSchedule, start_clock: StartClock, start_web: StartWeb, open_page: OpenPage
) -> None:
    many = "for i in range(130): every('day', 'work.add', at='03:00', name=f'n{i:03}')"
    start_clock(write_schedule(many)).wait_for_line("next")
    page = open_page(start_web("--allow-actions").address())
    page.evaluate("window.isTheSame = true")
    page.get_by_role("link", name="next", exact=True).click()
    expect(page.locator(ROWS)).to_have_count(30)
    page.get_by_label("Search").fill("n00")
    expect(page.locator(ROWS)).to_have_count(10)
    page.go_back()
    expect(page.locator(ROWS)).to_have_count(100)
    page.get_by_role("link", name="prefix").click()
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("link", name="other").click()
    expect(page.locator(ROWS)).to_have_count(100)
    assert page.evaluate("window.isTheSame")
    assert "open=other" in page.url


def _sign_out_elsewhere(page: Page) -> None:
    """As another window with the same cookie does."""
    address = "/".join(page.url.split("/")[:3])
    assert page.context.request.post(f"{address}/logout").ok


def _run(event: str, outcome: RunOutcome) -> Run:
    seconds = 1_700_000_000
    return Run(
        event=event,
        scheduled=seconds,
        enqueued=seconds,
        started=seconds,
        ended=seconds + 1,
        outcome=outcome,
        error="ValueError" if outcome is RunOutcome.FAILED else None,
        attempt=1,
        worker="w",
        job="j",
    )
