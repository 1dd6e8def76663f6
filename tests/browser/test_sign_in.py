"""Signing in and out in a real browser, by keyboard, with and without scripts."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from clock.ledger.audit import read_audit
from clock.ledger.pauses import read_pauses
from tests.browser.conftest import OpenPage, StartWeb
from tests.browser.test_looks import AXE
from tests.live.conftest import StartClock, WriteSchedule
from tests.web.test_people import ANN, BEN, HASHES

PEOPLE = json.dumps({"ann": ["act", HASHES["ann"]], "ben": ["read", HASHES["ben"]]})


@pytest.fixture
def address(write_schedule: WriteSchedule, start_clock: StartClock, start_web: StartWeb) -> str:
    """Where the page of a running clock is, for two people."""
    start_clock(write_schedule("every('day', 'work.add', at='03:00')")).wait_for_line("next")
    return start_web("--allow-actions", CLOCK_WEB_USERS=PEOPLE).address()


def sign_in(page: Page, name: str, password: str) -> None:
    """By keyboard; the field of the name has the focus."""
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_people_sign_in_act_and_sign_out_by_keyboard(
    address: str, open_page: OpenPage, redis: Redis, scripts: bool
) -> None:
    page = open_page(f"{address}/queues", java_script_enabled=scripts)
    sign_in(page, "ann", "not her password")
    expect(page.get_by_role("alert")).to_have_text("The password is wrong.")
    sign_in(page, "ann", ANN)
    expect(page).to_have_url(f"{address}/queues")
    expect(page.locator(".who")).to_have_text("ann")
    page.goto(f"{address}/pause?event=work.add")
    page.get_by_label("Reason").fill("moving")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("work.add is paused.")
    assert read_pauses(redis, "clock")["work.add"].by == "ann"
    page.get_by_role("link", name="Audit", exact=True).focus()
    page.keyboard.press("Enter")
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("ann")
    expect(rows.first).to_contain_text("reason moving")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/login")
    page.goto(f"{address}/audit")
    expect(page.get_by_label("Password")).to_be_visible()
    done = [(e.what, e.outcome) for e in reversed(read_audit(redis, "clock", 10).entries)]
    assert done == [
        ("sign in", "failed"), ("sign in", "done"), ("pause", "done"), ("sign out", "done"),
    ]  # fmt: skip


def test_axe_finds_nothing_where_people_have_names(address: str, open_page: OpenPage) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core here; make test gets it with npm")
    page = open_page(address)
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [violation["id"] for violation in result["violations"]] == []


def test_who_only_reads_sees_no_buttons(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    sign_in(page, "ben", BEN)
    expect(page.get_by_role("rowheader", name="work.add")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)
    expect(page.locator("footer")).to_contain_text("ben may only read")
