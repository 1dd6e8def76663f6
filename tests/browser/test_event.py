"""The page of one event in a real browser, over a real clock, a real worker and a real server."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from redis import Redis
from rq.job import Job
from rq.utils import as_text

from clock.ledger.pauses import read_pauses
from tests.browser.conftest import OpenPage, StartWeb
from tests.browser.scene import FAILING
from tests.browser.test_looks import scene
from tests.live.conftest import StartClock, StartWorker, WriteSchedule

__all__ = ["scene"]

DAILY = "every('day', 'work.add', at='03:00', args=[1, 2], name='adding')"
WIDTHS = (1440, 1280, 1024, 768, 390)

LOUD = """
import json

def fail(deep):
    if deep:
        return fail(deep - 1)
    try:
        json.loads("x" * 30)
    except ValueError as error:
        raise RuntimeError("<b>" + "long" * 2_000) from error
"""


@pytest.fixture
def page(
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_web: StartWeb,
    open_page: OpenPage,
) -> Page:
    """The page of the event ``adding``, with all that may be enabled."""
    start_clock(write_schedule(DAILY)).wait_for_line("next")
    web = start_web("--allow-actions", "--show-arguments", "--allow", "work.add")
    return open_page(f"{web.address()}/event?name=adding")


def test_an_event_is_run_with_changed_arguments(
    page: Page, redis: Redis, start_worker: StartWorker
) -> None:
    start_worker("default").wait_until_listening()
    page.get_by_role("link", name="Run with…").click()
    fields = page.get_by_label("Positional arguments")
    assert json.loads(fields.input_value()) == [1, 2]
    fields.fill("[1, 2")
    page.get_by_role("button", name="Run with these arguments").click()
    expect(page.get_by_role("alert")).to_contain_text("The positional arguments are not JSON")
    expect(fields).to_have_value("[1, 2")
    fields.fill("[40, 2]")
    page.get_by_role("button", name="Run with these arguments").click()
    expect(page.get_by_role("status").first).to_have_text("adding was enqueued.")
    expect(page.locator("#decisions ~ div").first).to_contain_text("succeeded")
    (job,) = redis.keys("rq:job:*")
    assert Job.fetch(as_text(job)[7:], connection=redis).return_value() == 42
    expect(page.locator("[data-part=audit]")).to_contain_text("other_arguments True")


def test_a_span_is_backfilled_after_a_preview(page: Page, redis: Redis) -> None:
    days = [time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400 * ago)) for ago in (3, 1)]
    page.get_by_role("link", name="Backfill…").click()
    page.get_by_label("From").fill(f"{days[0]}T00:00:00")
    page.get_by_label("Until").fill(f"{days[1]}T12:00:00")
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("3 of 3 occurrences would be enqueued")
    expect(preview.locator("dd").first).to_contain_text("03:00:00 UTC")
    assert redis.llen("rq:queue:default") == 0
    page.get_by_role("button", name="Enqueue 3").click()
    expect(page.get_by_role("status").first).to_have_text("3 of adding were enqueued.")
    assert redis.llen("rq:queue:default") == 3
    expect(page.locator("[data-part=audit]")).to_contain_text("backfill")


def test_an_event_is_paused_with_a_reason_and_resumed(page: Page, redis: Redis) -> None:
    page.get_by_role("link", name="Pause…").click()
    page.get_by_label("Reason").fill("the disk is <full>")
    page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    problems = page.locator("[data-part=problems]")
    expect(problems).to_contain_text("the disk is <full>")
    assert read_pauses(redis, "clock")["adding"].reason == "the disk is <full>"
    page.get_by_role("button", name="Resume").click()
    expect(problems).not_to_contain_text("the disk")
    assert read_pauses(redis, "clock") == {}


def test_a_failing_event_begins_with_its_error_and_is_never_wider_than_the_window(
    write_schedule: WriteSchedule,
    start_clock: StartClock,
    start_web: StartWeb,
    open_page: OpenPage,
    start_worker: StartWorker,
    work_folder: Path,
) -> None:
    (work_folder / "loud.py").write_text(LOUD)
    start_clock(write_schedule("every('day', 'loud.fail', at='03:00', args=[300])")).wait_for_line(
        "next"
    )
    start_worker("default").wait_until_listening()
    page = open_page(f"{start_web('--allow-actions').address()}/event?name=loud.fail")
    page.get_by_role("button", name="Run now").click()
    box = page.get_by_role("region", name="Failing")
    expect(box.locator(".error-line").first).to_contain_text("RuntimeError: <b>longlong")
    first = box.locator(".frames li").first
    expect(first).to_contain_text("loud.py:10 in fail")
    expect(first).to_contain_text('raise RuntimeError("<b>"')
    expect(box).to_contain_text("No success is among the kept runs.")
    others = box.get_by_text("in libraries, RQ and the clock").first
    expect(box.get_by_text("child_jobs.py").first).not_to_be_visible()
    others.click()
    causes = box.get_by_text("1 other error with it: json.decoder.JSONDecodeError")
    causes.click()
    box.get_by_text("The whole traceback").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    # What was opened stays open when the page is read again.
    page.get_by_role("button", name="Run now").click()
    expect(box).to_contain_text("2 jobs one after another", timeout=10_000)
    assert page.locator("details[open]").count() == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_no_part_is_wider_than_the_window(scene: str, open_page: OpenPage, width: int) -> None:
    page = open_page("about:blank", viewport={"width": width, "height": 800})
    for path in (f"/event?name={FAILING}", f"/run?event={FAILING}", "/backfill?event=mail.digest"):
        page.goto(scene + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_the_keyboard_goes_through_the_plot_and_opens_a_run(
    scene: str, open_page: OpenPage
) -> None:
    page = open_page(f"{scene}/event?name={FAILING}")
    page.locator("[data-plot]").focus()
    readout = page.locator("#plotted-run")
    page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("failed, shop.feeds.FeedError; ran")
    page.keyboard.press("Home")
    expect(readout).to_contain_text("succeeded; ran")
    page.keyboard.press("End")
    # The page is put into place anew, as after a change of the event: the choice stays.
    page.evaluate(
        """async () => {
          document.querySelector(".plot").setAttribute("data-old", "");
          const main = document.querySelector("script[src$='/main.js']").src;
          const live = await import(main.replace("main.js", "live.js"));
          await live.show(location.href);
        }"""
    )
    expect(page.locator("[data-old]")).to_have_count(0)
    expect(readout).to_contain_text("failed, shop.feeds.FeedError; ran")
    page.keyboard.press("Enter")
    page.wait_for_url("**/job?id=feeds-refresh-*")


def test_pages_of_the_history_come_without_a_reload(scene: str, open_page: OpenPage) -> None:
    page = open_page(f"{scene}/event?name={FAILING}")
    page.evaluate("window.isTheSame = true")
    history = page.locator("[data-part=history]")
    expect(history).to_contain_text(re.compile(r"1 to 15 of 2\d decisions"))
    history.get_by_role("link", name="Older").click()
    expect(history).to_contain_text(re.compile(r"16 to (2\d) of \1 decisions"))
    assert page.evaluate("window.isTheSame")
    page.go_back()
    expect(history).to_contain_text(re.compile(r"1 to 15 of 2\d decisions"))


def test_without_scripts_the_runs_are_a_table_in_pages(scene: str, open_page: OpenPage) -> None:
    page = open_page(f"{scene}/event?name=health.ping", java_script_enabled=False)
    page.get_by_text("Runs as a table").click()
    runs = page.locator(".runs-table")
    expect(runs.locator("tbody tr")).to_have_count(50)
    runs.get_by_role("link", name="Older").click()
    expect(runs.get_by_text(re.compile(r"51 to (\d+) of \1 runs"))).to_be_visible()
