"""What is counted over time, as the web UI and the API show it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from redis import Redis

from clock.ledger.trends import DAY, HOUR, TrendCounts
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

NOW = int(START) + 30
"""08:00:30 on 15 January 2027."""


def count(redis: Redis, *events: str) -> None:
    """Count something of these, which ran on the queue ``io``, now and yesterday."""
    counts = TrendCounts("test")
    for event in events:
        counts.add("io", event, NOW, enqueued=4, done=2, failed=1, waited=1.5)
        counts.add("io", event, NOW - HOUR, enqueued=1, done=1, waited=0.5)
        counts.add("io", event, NOW - DAY, done=7)
    counts.write(redis)


def trends(web: Web, query: str) -> dict[str, Any]:
    """The response of the API."""
    answer = web.get(f"/api/v1/trends?{query}")
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


@pytest.mark.parametrize(
    ("of", "span", "step", "buckets", "done"),
    [
        ("queue", "hour", 60, 60, 2),
        ("queue", "day", 3600, 24, 3),
        ("queue", "week", 86_400, 7, 10),
        ("queue", "month", 86_400, 31, 10),
        ("queue", "year", 86_400, 365, 10),
        ("event", "hour", 3600, 2, 3),
        ("event", "day", 3600, 24, 3),
        ("event", "week", 3600, 168, 10),
        ("event", "month", 86_400, 31, 10),
        ("event", "year", 86_400, 365, 10),
    ],
)
def test_the_api_has_a_bucket_for_each_step(
    redis: Redis, web: Web, of: str, span: str, step: int, buckets: int, done: int
) -> None:
    count(redis, "a/b ü")
    name = "io" if of == "queue" else "a/b%20%C3%BC"
    (trend,) = trends(web, f"of={of}&span={span}&name={name}")["trends"]
    assert (trend["step"], len(trend["buckets"])) == (step, buckets)
    assert sum(bucket["done"] for bucket in trend["buckets"]) == done
    last = trend["buckets"][-1]
    assert last["at"] in {"2027-01-15T08:00:00Z", "2027-01-15T00:00:00Z"}
    assert (last["failed"], last["waited"]) == (1, 1.5 if step < DAY else 2.0)


def test_without_a_name_the_api_has_the_first_ones_and_says_how_many_more(
    redis: Redis, web: Web
) -> None:
    count(redis, "c", "a", "b")
    response = trends(web, "of=event&limit=2")
    assert [trend["name"] for trend in response["trends"]] == ["a", "b"]
    assert (response["of"], response["span"], response["left_out"]) == ("event", "day", 1)
    assert [trend["name"] for trend in trends(web, "")["trends"]] == ["io"]
    (nothing,) = trends(web, "name=nothing")["trends"]
    assert not any(bucket["enqueued"] for bucket in nothing["buckets"])


def test_the_page_has_a_plot_and_the_sums_of_each_queue_and_event(redis: Redis, web: Web) -> None:
    count(redis, "e", "<b>")
    page = web.get("/trends").text
    words = re.findall(r'class="chart small" role="img" aria-label="([^"]+)"', page)
    when = "from Fri 15 Jan 08:00 on"
    of_one = f"5 enqueued, 3 done, 1 failed, waited 500 ms on average; most (4) {when}"
    of_all = f"10 enqueued, 6 done, 2 failed, waited 500 ms on average; most (8) {when}"
    assert words == [of_all, of_one, of_one]
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "/trends?of=event&amp;name=e&amp;span=day" in page
    month = web.get("/trends?span=month").text
    assert "20 done" in month


def test_the_page_of_one_has_plots_and_the_numbers_behind_them(redis: Redis, web: Web) -> None:
    count(redis, "e")
    page = web.get("/trends?of=event&name=e&span=week").text
    assert [word for word in re.findall(r"<title>([^<]+)</title>", page) if "Fri" in word] == [
        "Fri 15 Jan 07:00: 1 enqueued",
        "Fri 15 Jan 08:00: 4 enqueued",
        "Fri 15 Jan 07:00: 1 done, 0 failed",
        "Fri 15 Jan 08:00: 2 done, 1 failed",
        "Fri 15 Jan 07:00: 500 ms waited on average",
        "Fri 15 Jan 08:00: 500 ms waited on average",
    ]
    rows = re.findall(r'<th scope="row">([^<]+)</th>', page)
    assert rows == ["Fri 15 Jan 08:00", "Fri 15 Jan 07:00", "Thu 14 Jan 08:00"]
    assert "Nothing was counted" in web.get("/trends?of=queue&name=x").text


def test_events_are_searched_and_paged(redis: Redis, web: Web) -> None:
    count(redis, *(f"tenant {number:03}" for number in range(120)), "other")

    def shown(query: str) -> list[str]:
        return re.findall(r"name=tenant\+(\d+)&amp;span", web.get(f"/trends?{query}").text)

    assert shown("q=TENANT") == [f"{number:03}" for number in range(50)]
    assert shown("q=tenant&page=3") == [f"{number:03}" for number in range(100, 120)]
    assert shown("q=tenant&page=99") == shown("q=tenant&page=3")
    assert shown("q=tenant+11") == [f"{number:03}" for number in range(110, 120)]
    assert "No event matches" in web.get("/trends?q=nothing").text
    assert web.get("/trends?page=x&span=year").status_code == 200


@pytest.mark.parametrize("query", ["span=x", "of=x&name=y", "span="])
def test_what_is_not_there_is_refused(web: Web, query: str) -> None:
    assert web.get(f"/trends?{query}").status_code == 400


def test_the_clock_counts_what_it_enqueues(redis: Redis, web: Web, clock: Watched) -> None:
    assert redis.llen("rq:queue:default") == 2
    (trend,) = trends(web, "of=event&name=ten&span=hour")["trends"]
    assert [bucket["enqueued"] for bucket in trend["buckets"]] == [0, 2]
    (trend,) = trends(web, "of=queue&name=default&span=hour")["trends"]
    assert trend["buckets"][-1]["enqueued"] == 2


def test_the_week_shows_what_was_enqueued_beside_what_is_coming(
    redis: Redis, start_web: StartWeb, clock: Watched
) -> None:
    counts = TrendCounts("test")
    counts.add("io", "e", NOW - 6 * DAY, enqueued=3)
    counts.add("io", None, NOW - 6 * DAY, enqueued=1)
    counts.write(redis)
    # The two of the clock are of this minute, which is not over.
    page = start_web(now=lambda: NOW + 60).get("/week").text
    assert "5 jobs of events were enqueued in the last 7 days" in page
    assert page.count('class="now"') == 2
    assert page.count('<svg class="heat"') == 2
    (summary,) = set(re.findall(r'class="heat" role="img" aria-label="([^"]+)"', page))
    assert summary.startswith("5 jobs were enqueued in the last 7 days, ")
