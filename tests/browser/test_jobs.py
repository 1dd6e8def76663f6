"""Queues and jobs in a real browser, with a real worker."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.utils import as_text

from tests.browser.conftest import OpenPage, StartWeb
from tests.jobs.working import work_off
from tests.live.conftest import StartWorker
from tests.live.waiting import wait_for
from tests.observe.rq.failing import fail

ROWS = "form.jobs tbody tr"

OPTIONS = ("--allow-actions", "--show-arguments", "--allow", "work.add")


@pytest.fixture
def address(start_web: StartWeb) -> str:
    """Where the page is; work.add may be enqueued there, and arguments are shown."""
    return start_web(*OPTIONS).address()


@pytest.fixture
def failed(redis: Redis) -> list[str]:
    """The ids of five failed jobs of two queues; RQ's worker ran them. Three are alike."""
    ids = [
        Queue(queue, connection=redis).enqueue(f"tests.jobs.working.{task}", job_id=name).id
        for name, queue, task in (
            ("alike-1", "high", "count"),
            ("alike-2", "low", "count"),
            ("alike-3", "low", "count"),
            ("other-1", "low", "fail"),
            ("other-2", "high", "fail"),
        )
    ]
    work_off(redis, "high", "low")
    return ids


def test_jobs_are_filtered_a_group_is_opened_and_two_of_it_are_requeued(
    redis: Redis, failed: list[str], address: str, open_page: OpenPage
) -> None:
    page = open_page(f"{address}/jobs")
    expect(page.locator(ROWS)).to_have_count(5)
    page.get_by_label("Error text").fill("MISSING")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(ROWS)).to_have_count(3)
    page.get_by_role("link", name=re.compile("^TypeError: count.* missing")).click()
    expect(page.get_by_text("One group of errors")).to_be_visible()
    page.evaluate("window.isTheSame = true")
    page.get_by_label("Choose alike-1").check()
    page.get_by_label("Choose alike-3").check()
    page.get_by_role("button", name="Requeue chosen").click()
    expect(page.locator("#message")).to_have_text("2 jobs were requeued.")
    expect(page.locator(f"{ROWS}:not(.gone)")).to_have_count(1)
    assert page.evaluate("window.isTheSame")
    assert [_status(redis, name) for name in failed[:3]] == ["queued", "failed", "queued"]


@pytest.mark.parametrize("scripts", [True, False])
def test_all_that_match_are_deleted_after_a_question(
    redis: Redis, failed: list[str], address: str, open_page: OpenPage, *, scripts: bool
) -> None:
    page = open_page(
        f"{address}/jobs?state=failed&task=tests.jobs.working.count", java_script_enabled=scripts
    )
    button = page.get_by_role("button", name="Delete all that match")
    button.click()
    if scripts:
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Delete all that match? This cannot be undone.")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()
    else:
        expect(page.get_by_role("heading", name=re.compile("Delete all failed"))).to_be_visible()
        page.get_by_role("link", name="Cancel").click()
    assert _status(redis, "alike-1") == "failed"
    button.click()
    answer = page.get_by_role("dialog") if scripts else page.get_by_role("main")
    answer.get_by_role("button", name="Delete all").click()
    expect(page.locator("#message")).to_have_text("3 jobs were deleted.")
    expect(page.get_by_text("No such jobs match the filter.")).to_be_visible()
    assert [_status(redis, name) for name in failed] == [None, None, None, "failed", "failed"]


def test_all_jobs_of_a_page_can_be_chosen_at_once_and_the_question_counts_them(
    redis: Redis, failed: list[str], address: str, open_page: OpenPage
) -> None:
    page = open_page(f"{address}/jobs?state=failed")
    page.get_by_label("All on this page").check()
    page.get_by_label("Choose other-1").uncheck()
    page.get_by_role("button", name="Delete chosen").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 4 jobs?")
    dialog.get_by_role("button", name="Delete chosen").click()
    expect(page.locator("#message")).to_have_text("4 jobs were deleted.")
    assert _status(redis, "other-1") == "failed"


def test_a_running_job_is_stopped_and_then_run_again_with_other_arguments(
    redis: Redis, address: str, open_page: OpenPage, start_worker: StartWorker
) -> None:
    worker = start_worker("default")
    worker.wait_until_listening()
    queue = Queue(connection=redis)
    running = queue.enqueue("work.nap", 60)
    wait_for("it runs", lambda: _status(redis, running.id) == "started")
    page = open_page(f"{address}/queues")
    page.get_by_role("link", name=running.id).first.click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.locator("#message")).to_contain_text("was asked to stop it")
    wait_for("it is stopped", lambda: _status(redis, running.id) == "stopped")
    expect(page.locator("[data-part=attempts]")).to_contain_text("stopped")

    done = queue.enqueue("work.add", 1, 2)
    wait_for("it ends", lambda: _status(redis, done.id) == "finished")
    page.goto(f"{address}/job?id={done.id}")
    expect(page.locator("#result")).to_have_text("3")
    page.get_by_role("link", name="Run again with other arguments").click()
    expect(page.get_by_label("Positional arguments")).to_have_value(re.compile(r"1,\s+2"))
    page.get_by_label("Positional arguments").fill("[20, 30]")
    page.get_by_role("button", name="Run with these arguments").click()
    expect(page.locator("#message")).to_contain_text("was enqueued")
    expect(page.locator("#result")).to_have_text("50")
    assert done.id not in page.url


@pytest.mark.parametrize("scripts", [True, False])
def test_a_paused_queue_gives_its_jobs_to_no_worker_until_it_is_resumed(
    redis: Redis, address: str, open_page: OpenPage, start_worker: StartWorker, *, scripts: bool
) -> None:
    start_worker("slow", "default").wait_until_listening()
    queue = Queue("slow", connection=redis)
    before = queue.enqueue("work.add", 1, 2)
    wait_for("one runs", lambda: _status(redis, before.id) == "finished")
    page = open_page(f"{address}/queues", java_script_enabled=scripts)
    _pause(page, "slow")
    held = queue.enqueue("work.add", 1, 2)
    # A job of another queue is taken, so the worker has looked at both.
    other = Queue("default", connection=redis).enqueue("work.add", 1, 2)
    wait_for("the other runs", lambda: _status(redis, other.id) == "finished")
    assert _status(redis, held.id) == "queued"
    page.reload()
    expect(page.get_by_role("row", name=re.compile("^slow"))).to_contain_text("the disk is <full>")
    expect(page.get_by_text("still takes its jobs")).to_have_count(0)
    page.get_by_role("button", name="Resume slow").click()
    expect(page.locator("#message")).to_have_text("slow is no longer paused.")
    wait_for("it runs", lambda: _status(redis, held.id) == "finished", within=5)


def test_hostile_values_make_no_page_wider_than_the_window(
    redis: Redis, address: str, open_page: OpenPage
) -> None:
    queue, task = "q" * 180, f"{'t' * 200}.{'u' * 200}"
    fail(redis, "x" * 240, queue, error="ValueError: " + "<b>" * 20_000, task=task, event="e" * 300)
    fail(redis, "y", "default", error="x" * 90_000)
    redis.zadd(f"rq:failed:{queue}", {"x" * 240: time.time() + 90})
    redis.zadd("rq:failed:default", {"y": time.time() + 90})
    page = open_page("about:blank")
    for path in ("/queues", "/jobs", f"/job?id={'x' * 240}", f"/again?id={'x' * 240}"):
        page.goto(address + path)
        for width in (1440, 1280, 1024, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            high = page.evaluate("document.documentElement.scrollHeight")
            assert wide <= width, (path, width)
            assert high < 6000, (path, width)


def _pause(page: Page, queue: str) -> None:
    page.get_by_role("link", name=f"Pause… {queue}").click()
    page.get_by_label("Reason").fill("the disk is <full>")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#message")).to_have_text(f"{queue} is paused.")


def _status(redis: Redis, identifier: str) -> str | None:
    status = redis.hget(Job.key_for(identifier), "status")
    return None if status is None else as_text(status)
