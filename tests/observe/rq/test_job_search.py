"""Jobs across queues: pages of them, filters, and the groups of their errors."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue

from clock.observe.rq.entries import Stage
from clock.observe.rq.error_groups import MOST_GROUPS, read_groups
from clock.observe.rq.job_search import JobPage, find_jobs
from clock.observe.rq.listed_job import NO_ERROR, Filter
from tests.jobs.working import start
from tests.observe.rq.failing import NOW, fail
from tests.observe.rq.round_trips import count_round_trips

QUEUES = ["high", "low", "a b ü"]

STAGES = [Stage.QUEUED, Stage.FAILED, Stage.FINISHED, Stage.SCHEDULED, Stage.STARTED]


def find(redis: Redis, which: Filter | None = None, **options: Any) -> JobPage:
    return find_jobs(redis, QUEUES, Stage.FAILED, which, now=NOW, **options)


def ids(page: JobPage) -> list[str]:
    return [found.job.id for found in page.jobs]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("limit", [1, 4, 30])
def test_pages_show_every_job_of_all_queues_once_and_in_one_order(
    redis: Redis, stage: Stage, limit: int
) -> None:
    every = []
    for number in range(12):
        queue = Queue(QUEUES[number % 3], connection=redis)
        job = queue.enqueue("work.x", job_id=f"job-{number}")
        every.append(job.id)
        if stage is Stage.STARTED:
            start(redis, job.id)
        elif stage is not Stage.QUEUED:
            redis.delete(queue.key)
            # Some of them at the same second, on one queue and on two.
            redis.zadd(f"rq:{stage}:{queue.name}", {job.id: NOW + number // 4})
    pages = [find_jobs(redis, QUEUES, stage, now=NOW, limit=limit)]
    while (cursor := pages[-1].next) is not None:
        pages.append(find_jobs(redis, QUEUES, stage, now=NOW, limit=limit, cursor=cursor))
    shown = [name for page in pages for name in ids(page)]
    assert sorted(shown) == sorted(every)
    assert shown == ids(find_jobs(redis, QUEUES, stage, now=NOW))
    assert {page.total for page in pages} == {12}


def test_a_page_goes_on_where_it_ended_though_its_last_job_is_gone(redis: Redis) -> None:
    for number in range(9):
        fail(redis, f"job-{number}", QUEUES[number % 3])
    before = ids(find(redis))
    first = find(redis, limit=4)
    for queue in QUEUES:
        redis.zrem(f"rq:failed:{queue}", before[3])
    assert ids(find(redis, cursor=first.next)) == before[4:]


@pytest.mark.parametrize(
    ("which", "names"),
    [
        (Filter(), ["a", "b", "c", "d", "e"]),
        (Filter(task="work.y"), ["b"]),
        (Filter(event="nightly"), ["c"]),
        (Filter(error="KeyError"), ["b"]),
        (Filter(error="HTTPError"), ["c"]),
        (Filter(error="requests.HTTPError"), ["c"]),
        (Filter(text="OrDeR"), ["a", "d"]),
        (Filter(text="order", task="work.y"), []),
        (Filter(since=NOW - 100), ["a", "b"]),
        (Filter(since=NOW - 900, until=NOW - 100), ["c", "d"]),
    ],
)
def test_jobs_are_filtered(redis: Redis, which: Filter, names: list[str]) -> None:
    fail(redis, "a", "high", error="ValueError: order 17 not found", ago=10)
    fail(redis, "b", "low", error="KeyError: 'x'", task="work.y", ago=50)
    fail(redis, "c", "low", error="requests.HTTPError: 503", event="nightly", ago=200)
    fail(redis, "d", "high", error="ValueError: order 4 not found", ago=300)
    fail(redis, "e", "high", error=None, ago=1000)
    assert ids(find(redis, which)) == names


def test_a_search_looks_at_so_many_jobs_and_goes_on_from_there(redis: Redis) -> None:
    for number in range(10):
        fail(redis, f"job-{number}", task=f"work.x{number}", ago=number)
    page = find(redis, Filter(task="work.x8"), most=4)
    assert (ids(page), page.looked_at, page.total) == ([], 4, 10)
    page = find(redis, Filter(task="work.x8"), most=4, cursor=page.next)
    assert ids(page) == []
    page = find(redis, Filter(task="work.x8"), most=4, cursor=page.next)
    assert (ids(page), page.next) == (["job-8"], None)


def test_errors_that_differ_in_numbers_are_one_group(redis: Redis) -> None:
    for number in range(3):
        error = f"ValueError: order {number} of 0x7f{number}a not found"
        fail(redis, f"job-{number}", QUEUES[number % 2], error=error, ago=100 - number)
    fail(redis, "other", task="work.y", error="KeyError: 'x'", ago=5)
    fail(redis, "none", error=None, ago=4)
    groups = read_groups(redis, QUEUES, now=NOW)
    assert [(group.kind, group.count) for group in groups.groups] == [
        ("ValueError", 3),
        (None, 1),
        ("KeyError", 1),
    ]
    first = groups.groups[0]
    assert (first.line, first.example) == ("ValueError: order 2 of 0x7f2a not found", "job-2")
    assert (first.first, first.last) == (NOW - 100, NOW - 98)
    assert (first.tasks, first.queues) == (("work.x",), ("high", "low"))
    assert (groups.looked_at, groups.total, groups.left_out) == (5, 5, 0)
    assert sorted(ids(find(redis, Filter(group=first.id)))) == ["job-0", "job-1", "job-2"]
    assert ids(find(redis, Filter(group=NO_ERROR))) == ["none"]


def test_the_groups_returned_are_bounded_and_so_is_what_they_are_made_of(redis: Redis) -> None:
    letters = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(MOST_GROUPS + 5)]
    for number, letter in enumerate(letters):
        fail(redis, f"job-{number}", error=f"ValueError: {letter}z", ago=number)
    groups = read_groups(redis, QUEUES, now=NOW)
    assert (len(groups.groups), groups.left_out) == (MOST_GROUPS, 5)
    assert read_groups(redis, QUEUES, now=NOW, most=7).looked_at == 7


def test_a_long_line_of_an_error_is_cut(redis: Redis) -> None:
    fail(redis, "job", error="ValueError: " + "x" * 200_000)
    (found,) = find(redis).jobs
    assert found.error is not None
    assert len(found.error.line) <= 500


@pytest.mark.parametrize(("stage", "most"), [(Stage.FAILED, 4), (Stage.SCHEDULED, 4)])
def test_the_round_trips_do_not_grow_with_the_queues(redis: Redis, stage: Stage, most: int) -> None:
    counts = []
    for names in (["q0"], [f"q{number}" for number in range(30)]):
        for number, name in enumerate(names):
            fail(redis, f"{name}-{number}", name)
            redis.zadd(f"rq:scheduled:{name}", {f"{name}-{number}": NOW})

        def ask(queues: list[str] = names) -> JobPage:
            return find_jobs(redis, queues, stage, now=NOW)

        counts.append(count_round_trips(redis, ask))
    assert counts[0] == counts[1] <= most
