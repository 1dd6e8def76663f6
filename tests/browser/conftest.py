"""A real Chromium and the page it shows; its complaints fail the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.web_process import WebProcess
from tests.live.conftest import (
    redis,
    server,
    start_clock,
    start_worker,
    work_folder,
    write_schedule,
)
from tests.live.server import Server

__all__ = ["redis", "server", "start_clock", "start_worker", "work_folder", "write_schedule"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
MISSING = "no chromium here; on Debian and Ubuntu: apt install chromium"

StartWeb = Callable[..., WebProcess]
OpenPage = Callable[..., Page]


# Not of the session: as long as it is there, the thread has a running loop, in which tests of
# other modules could not start theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        # As root, in a container, it has no sandbox to work in; it sees our own pages only.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def start_web(server: Server, tmp_path: Path) -> Iterator[StartWeb]:
    """Start ``clock web`` on this test's server; none outlives the test."""
    started: list[WebProcess] = []

    def start(*arguments: str, **environ: str) -> WebProcess:
        started.append(WebProcess(tmp_path, server.url, *arguments, **environ))
        return started[-1]

    yield start
    for web in started:
        web.clean_up()
        print(web.output())  # noqa: T201


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open an address in a window of its own. At the end no script may have failed, nothing may
    have been said on the console, and no request may have left this machine.
    """
    contexts, troubles = [], []

    def on_console(message: ConsoleMessage) -> None:
        # Tests request missing and forbidden pages on purpose.
        if "status of 40" not in message.text:
            troubles.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "about:")):
            troubles.append(f"asked for {request.url}")

    def show(address: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", on_console)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", on_request)
        page.goto(address)
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []
