"""What a page costs in a real Chromium: its first view, and a minute of being open.

``clock web`` is a process of its own, on this machine. A first view has an empty cache, a second
one what the first left there. Bytes are those on the wire, compressed, with their headers. The
floor is the page to sign in, from the same process in the same run: all that is left of a page
without a list. While the page is open, a run of another event ends every two seconds, so that there
is something to show. Processor time is what all processes of Chromium took, or ``clock web``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.answer import Goal
from benchmarks.process import family, wait_for

FIRST_ROW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#events tbody tr")) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.firstRow = performance.now(); });
}).observe(document, {childList: true, subtree: true});
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"

SECONDS = 30.0
"""How long the page is open; what it took is doubled."""

EVERY = 2.0

COLUMNS = (
    "events", "first view", "first row", "floor", "bytes", "requests", "second view",
    "second bytes", "minute: browser", "minute: server", "minute: bytes", "minute: requests",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page that was opened: milliseconds until it was painted and its list had a row; bytes and
    requests.
    """

    painted: float
    row: float | None
    size: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """What was measured with so many ``events``; ``browser`` and ``server`` are seconds of
    processors in a minute, ``open_size`` and ``open_requests`` what was sent in it.
    """

    events: int
    first: View
    second: View
    floor: View
    browser: float
    server: float
    open_size: float
    open_requests: float

    def row(self) -> tuple[str, ...]:
        """One text for each of ``COLUMNS``."""
        assert self.first.row is not None
        return (
            f"{self.events:,}", f"{self.first.painted:.0f} ms", f"{self.first.row:.0f} ms",
            f"{self.floor.painted:.0f} ms", _size(self.first.size), str(self.first.requests),
            f"{self.second.painted:.0f} ms", _size(self.second.size), f"{self.browser:.2f} s",
            f"{self.server:.2f} s", _size(self.open_size), f"{self.open_requests:.0f}",
        )  # fmt: skip

    def goals(self) -> Iterator[Goal]:
        """What it should come to."""
        of = f"list of {self.events:,} events"
        yield Goal(
            what=f"first view of the {of}", measured=self.first.painted, goal=300, least=600,
            unit="ms",
        )  # fmt: skip
        yield Goal(
            what=f"bytes of the first view of the {of}", measured=self.first.size / 1e3, goal=100,
            least=120, unit="kB",
        )  # fmt: skip
        yield Goal(
            what=f"processor time of the browser in a minute of the {of}", measured=self.browser,
            goal=2, least=4, unit="s",
        )  # fmt: skip


def measure(url: str, chromium: str, events: int, step: Callable[[], object]) -> OpenPage:
    """Open the list of events of the application on the server at ``url`` in ``chromium``;
    ``step`` lets a run end.
    """
    with _served(url) as (address, pid), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _views(browser, address, "/")
        firsts, seconds = zip(*(_views(browser, address, "/") for _ in range(5)), strict=True)
        floors = [_views(browser, address, "/login")[0] for _ in range(5)]
        page = browser.new_context().new_page()
        count = _Counted(page)
        page.goto(address)
        page.wait_for_timeout(3000)
        before, begun = (_cpu(os.getpid(), "chrom"), _cpu(pid, "")), time.monotonic()
        size, requests = count.size, count.requests
        while (passed := time.monotonic() - begun) < SECONDS:
            step()
            page.wait_for_timeout(EVERY * 1000)
        after = (_cpu(os.getpid(), "chrom"), _cpu(pid, ""))
        minute = 60 / passed
        browser.close()
    return OpenPage(
        events=events,
        first=_median(firsts),
        second=_median(seconds),
        floor=_median(floors),
        browser=(after[0] - before[0]) * minute,
        server=(after[1] - before[1]) * minute,
        open_size=(count.size - size) * minute,
        open_requests=(count.requests - requests) * minute,
    )


class _Counted:
    """What a page has received, in bytes on the wire, and of how many requests."""

    def __init__(self, page: Page) -> None:
        self.requests = 0
        self._finished = 0
        self._parts: Counter[str] = Counter()
        line = page.context.new_cdp_session(page)
        line.send("Network.enable")
        line.on("Network.loadingFinished", self._finish)
        line.on("Network.dataReceived", self._add)

    @property
    def size(self) -> int:
        """Bytes; of a stream, which does not finish, what came so far."""
        return self._finished + self._parts.total()

    def _finish(self, event: Any) -> None:
        self._parts.pop(event["requestId"], None)
        self._finished += int(event["encodedDataLength"])
        self.requests += event["encodedDataLength"] > 0

    def _add(self, event: Any) -> None:
        self._parts[event["requestId"]] += event["encodedDataLength"]


def _views(browser: Browser, address: str, path: str) -> tuple[View, View]:
    """A first view of ``path``, and a second one."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.add_init_script(FIRST_ROW)
        views = []
        for _ in range(2):
            page = context.new_page()
            count = _Counted(page)
            page.goto(address + path, wait_until="load")
            # What the scripts load, too.
            page.wait_for_timeout(500)
            views.append(
                View(
                    painted=page.evaluate(PAINTED),
                    row=page.evaluate("window.firstRow ?? null"),
                    size=count.size,
                    requests=count.requests,
                )
            )
            page.close()
        first, second = views
    return first, second


def _median(views: Any) -> View:
    rows = [view.row for view in views if view.row is not None]
    return View(
        painted=median(view.painted for view in views),
        row=median(rows) if rows else None,
        size=int(median(view.size for view in views)),
        requests=int(median(view.requests for view in views)),
    )


def _cpu(pid: int, name: str) -> float:
    """Seconds of processors that ``pid`` and what it started took; only processes with ``name`` in
    theirs.
    """
    ticks = 0
    for one in family(pid):
        head, _, rest = Path(f"/proc/{one}/stat").read_text().rpartition(")")
        if name in head:
            ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(url: str) -> Iterator[tuple[str, int]]:
    """``clock web`` over ``url``: its address, and the number of its process."""
    command = [sys.executable, "-m", "clock", "web", "--port", "0", "--url", url]
    addresses: list[str] = []
    with subprocess.Popen(
        [*command, "--allow-actions"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None

        def serves() -> bool:
            assert process.stdout is not None
            addresses.extend(re.findall(r"(http://127\S+?)/?\s", process.stdout.readline()))
            return bool(addresses)

        try:
            wait_for("clock web serves", serves)
            yield addresses[0], process.pid
        finally:
            process.terminate()


def _size(count: float) -> str:
    return f"{count / 1e3:.1f} kB"
