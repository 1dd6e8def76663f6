"""The list of events and the banner of what needs attention, without a browser."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from html import unescape

import pytest
from redis import Redis
from rq import Queue

from clock import keys
from clock.ledger.manual import run_now
from clock.ledger.pauses import Pause, pause
from clock.ledger.trends import TrendCounts
from clock.observe.reading import read_status
from clock.runs.records import write_run
from clock.runs.run import Run, RunOutcome
from clock.web.pages.event_groups import Grouping, group
from clock.web.pages.event_page import LINES
from tests.conftest import ReadSchedule
from tests.jobs.working import work_off
from tests.loop.heartbeat import START, Watched
from tests.simple_worker import SimpleWorker
from tests.web.requests import Web

DAY = 86_400

StartWeb = Callable[..., Web]


@pytest.fixture
def many(redis: Redis, read: ReadSchedule) -> None:
    """250 events on two queues."""
    text = (
        "for i in range(250):\n"
        "    every('day', f'jobs.{\"mail\" if i % 5 else \"feed\"}.n{i}', at='02:30',\n"
        "          queue='io' if i % 2 else 'default')"
    )
    Watched(redis, read(text)).turn([0])


def test_a_page_has_a_hundred_events_however_many_there_are(web: Web, many: None) -> None:
    first = web.get("/").text
    assert (len(_names(first)), LINES) == (100, 100)
    assert "250 of 250 events" in first
    third = web.get(_link(first, "next").replace("page=2", "page=3")).text
    assert len(_names(third)) == 50
    assert not set(_names(first)) & set(_names(third))
    assert web.get("/?page=999999").text.count("<tr") == third.count("<tr")
    # It goes over the wire compressed.
    assert len(gzip.compress(first.encode())) < 20_000


def test_a_line_plots_what_was_counted_of_its_event_in_a_day(
    redis: Redis, read: ReadSchedule, web: Web
) -> None:
    schedule = read("every('day', 'tasks.x', name='a/b')", "every('day', 'tasks.x', name='c')")
    Watched(redis, schedule).turn([0])
    counts = TrendCounts("test")
    counts.add("default", "a/b", int(START), enqueued=3, done=3, failed=1)
    counts.write(redis)
    shown = web.get("/").text
    plots = dict(re.findall(r'trends\?of=event&amp;name=([^"]+)">(<svg.*?</svg>)', shown, re.S))
    assert {
        name: "M" in re.sub("<title>.*?</title>", "", plot) for name, plot in plots.items()
    } == {
        "a%2Fb": True,
        "c": False,
    }


@pytest.mark.parametrize(
    ("query", "matching"),
    [
        ("q=feed", 50),
        ("q=feed+io", 25),
        ("queue=io", 125),
        ("state=never+run&queue=io&q=FEED", 25),
        ("state=failing", 0),
        ("state=nonsense&sort=nonsense&group=nonsense&page=-1", 250),
        ("q=no+such+event", 0),
    ],
)
def test_the_server_searches_and_filters(web: Web, many: None, query: str, matching: int) -> None:
    text = web.get(f"/?{query}").text
    assert f"{matching} of 250 events" in text
    assert len(_names(text)) == min(matching, 100)


def test_links_keep_what_was_chosen(web: Web, many: None) -> None:
    text = web.get("/?q=feed&queue=io&sort=-name&group=prefix&open=mail").text
    assert _names(text) == []
    for link in re.findall(r'href="(/\?[^"]*)" data-stay', text):
        assert "q=feed" in link or "Show all" in text, link
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text)
    assert ("queue", "io") in fields
    assert ("sort", "-name") in fields
    assert ("open", "mail") in fields


def test_groups_are_folded_and_their_opening_is_in_the_address(web: Web, many: None) -> None:
    text = web.get("/?group=prefix").text
    assert _groups(text) == ["feed", "mail"]
    assert _names(text) == []
    assert "50 events" in text
    opened = web.get("/?group=prefix&open=feed").text
    assert len(_names(opened)) == 50
    assert _groups(opened) == ["feed", "mail"]
    assert _groups(web.get("/?group=queue").text) == ["default", "io"]


def test_the_rest_of_a_long_group_has_its_heading_again(web: Web, many: None) -> None:
    second = web.get("/?group=prefix&open=mail&page=2").text
    assert _groups(second) == ["mail"]
    assert len(_names(second)) == 100


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["a.b.c", "a.b.d", "a.e.f"], ["b", "e"]),
        (["a.b", "c.d", "e"], ["a", "c", "other"]),
        (["a:x", "b/y.z"], ["a", "b"]),
        (["x", "y"], ["other"]),
        (["a.b.c"], ["other"]),
        (["a.b.c", "a.d"], ["b", "other"]),
    ],
    ids=str,
)
def test_the_prefix_of_a_group_is_where_names_begin_to_differ(
    redis: Redis, read: ReadSchedule, names: list[str], groups: list[str]
) -> None:
    lines = [f"every('day', 'tasks.x', at='02:30', name={name!r})" for name in names]
    Watched(redis, read(*lines)).turn([0])
    events = read_status(redis, "test", START).events
    assert [one.name for one in group(events, Grouping.PREFIX, frozenset())] == groups


def test_the_states_are_counted_among_what_is_found(web: Web, clock: Watched, redis: Redis) -> None:
    write_run(redis, "test", _run("ten"))
    assert _counts(web.get("/").text) == {"failing": 1, "never run": 1}
    assert _counts(web.get("/?q=berlin").text) == {"never run": 1}
    # So that another one can be chosen.
    assert _counts(web.get("/?state=failing").text) == {"failing": 1, "never run": 1}


def test_without_a_clock_nothing_is_announced(
    start_web: StartWeb, clock: Watched, redis: Redis
) -> None:
    assert "no clock</span>" not in start_web().get("/").text
    text = start_web(now=lambda: START + 4000).get("/").text
    assert text.count('schedule.py is alive">no clock</span>') == 2
    assert ">in " not in _table(text)
    assert "No clock is alive." in text
    banner = re.findall(r"<li .*?</li>", text, re.DOTALL)[0]
    assert "nothing of it fires" in banner
    assert "1 h 6 min ago" in banner
    assert "1 without a clock, 1 overdue" in start_web(now=lambda: START + 4000).get("/week").text
    event = start_web(now=lambda: START + 4000).get("/event?name=ten").text
    assert "is alive: none of these will fire." in event
    assert ">in " not in event


def test_an_event_that_was_only_run_by_hand_has_run(web: Web, clock: Watched, redis: Redis) -> None:
    assert ">never</span>" in web.get("/?q=berlin").text
    run_now(redis, "test", "a/b ü", START + 26)
    text = web.get("/?q=berlin").text
    assert ">never</span>" not in text
    assert ">4 s ago</time>" in text


@pytest.mark.parametrize(("late", "is_shown"), [(0.9, False), (3, True)])
def test_lateness_is_shown_above_a_second(
    web: Web, redis: Redis, read: ReadSchedule, late: float, is_shown: bool
) -> None:
    clock = Watched(redis, read("every('10 seconds', 'tasks.x', name='ten')"))
    clock.turn([0, 9, 10 + late])
    assert (f"{late:g} s late" in web.get("/").text) == is_shown


def test_a_time_of_another_year_has_its_year_and_all_have_seconds(
    start_web: StartWeb, redis: Redis, read: ReadSchedule
) -> None:
    Watched(
        redis,
        read(
            "every('month', 'tasks.x', name='soon', on=20, at='00:00')",
            "every('year', 'tasks.y', name='far', on='10 january', at='00:00')",
        ),
    ).turn([0])
    text = start_web(now=lambda: START + 1).get("/").text
    assert '<span class="exact">Wed 20 Jan 00:00:00 UTC</span>' in text
    assert '<span class="exact">Mon 10 Jan 2028 00:00:00 UTC</span>' in text


def test_where_all_is_well_there_is_no_banner(web: Web, clock: Watched, redis: Redis) -> None:
    _listen(redis)
    for path in ("/", "/queues", "/week"):
        text = web.get(path).text
        assert 'data-part="attention" data-count="0"></section>' in text
        assert '/icon.svg">' in text
        assert "<title>(" not in text


def test_the_banner_has_what_needs_attention_its_error_and_its_button(
    web: Web, clock: Watched, redis: Redis
) -> None:
    job = Queue("default", connection=redis).enqueue("tests.jobs.working.fail")
    work_off(redis)
    for second in (10, 20):
        write_run(redis, "test", _run("ten", second, job.id))
    moved = Pause(until=None, reason="moved", by="jo", since=int(START) - 2 * DAY)
    pause(redis, "test", "a/b ü", moved)
    text = web.get("/").text
    banner = text[text.index('id="attention"') : text.index('id="message"')]
    assert 'data-count="3"' in banner
    items = re.findall(r"<li .*?</li>", banner, re.DOTALL)
    assert [re.sub(r"\s+", " ", _text(item)) for item in items] == [
        "failing ten ValueError: no such feed 20 s ago Run now ten",
        "without a worker default no worker listens on this queue of 2 events Queues about default",
        "paused a/b ü paused by jo: moved 2 d ago Resume a/b ü",
    ]
    assert 'formaction="/run" name="event" value="ten"' in items[0]
    assert 'formaction="/resume" name="event" value="a/b ü"' in items[2]
    assert "<title>(3) " in text
    assert 'href="/icon?count=3"' in text
    other = web.get("/queues").text
    assert _text(other[other.index('id="attention"') : other.index('id="message"')]).endswith(
        "3 need attention : 1 failing, 1 without a worker, 1 paused"
    )
    assert "<title>(3) " in other


def test_who_may_not_act_gets_links_instead_of_buttons(
    start_web: StartWeb, clock: Watched, redis: Redis
) -> None:
    write_run(redis, "test", _run("ten"))
    text = start_web(actions=False).get("/").text
    assert "Run now" not in text
    assert 'class="button" href="/event?name=ten"' in text


def test_a_long_banner_is_folded(start_web: StartWeb, redis: Redis, read: ReadSchedule) -> None:
    lines = [f"every('10 seconds', 'tasks.x', name='n{i:02}')" for i in range(60)]
    Watched(redis, read(*lines)).turn(range(11))
    for number in range(60):
        write_run(redis, "test", _run(f"n{number:02}", 10))
    text = start_web(now=lambda: START + 12).get("/").text
    banner = text[text.index('id="attention"') : text.index('id="message"')]
    assert 'data-count="61"' in banner
    assert banner.partition("<details>")[0].count("<li ") == 3
    assert "57 more failing, 1 more without a worker</summary>" in banner
    assert banner.count("<li ") == 50
    assert "11 more in the list." in banner


def test_while_a_page_listens_the_list_is_that_of_the_stream_until_somebody_acts(
    web: Web, clock: Watched, redis: Redis
) -> None:
    feed = web.app.state.clock.feed  # type: ignore[attr-defined]
    feed.begin(feed.join(["changes"], lambda: None))
    _disable(redis)
    try:
        assert _counts(web.get("/").text) == {"never run": 1, "on time": 1}
        assert web.post("/api/v1/events/ten/pause", json={}).status_code == 200
        assert _counts(web.get("/").text) == {"disabled": 1, "paused": 1}
    finally:
        feed.close()


def _disable(redis: Redis) -> None:
    """Disable the event that has never run, as its clock would."""
    key, name = keys.descriptions("test"), "a/b ü"
    line = redis.hget(key, name)
    assert isinstance(line, bytes)
    redis.hset(key, name, line.replace(b'"enabled":true', b'"enabled":false'))


def _listen(redis: Redis) -> None:
    """A worker that listens on the queue of the events."""
    worker = SimpleWorker([Queue("default", connection=redis)], connection=redis)
    worker.register_birth()  # type: ignore[no-untyped-call]


def _table(text: str) -> str:
    return text[text.index('<table id="events"') : text.index("</table>")]


def _names(text: str) -> list[str]:
    """The names of the events of a page."""
    return re.findall(r'<tr role="row" data-key="([^"]*)">', text)


def _groups(text: str) -> list[str]:
    return re.findall(r'data-key="group ([^"]*)"', text)


def _counts(text: str) -> dict[str, int]:
    found = re.findall(r'<span class="badge s-[a-z-]+">([a-z ]+)</span> <b>(\d+)</b>', text)
    return {state: int(count) for state, count in found}


def _link(text: str, rel: str) -> str:
    (link,) = re.findall(rf'href="([^"]*)" data-stay rel="{rel}"', text)
    return unescape(link)


def _text(html: str) -> str:
    return unescape(re.sub(r"\s*(<[^>]*>|^[^<]*>|<[^>]*$)\s*", " ", html)).strip()


def _run(event: str, second: int = 20, job: str = "j") -> Run:
    return Run(
        event=event,
        scheduled=int(START) + second,
        enqueued=START + second,
        started=START + second + 0.1,
        ended=START + second + 0.3,
        outcome=RunOutcome.FAILED,
        error="ZeroDivisionError",
        attempt=1,
        worker="w",
        job=job,
    )
