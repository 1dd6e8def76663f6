"""The description for people, and who may read it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.routing import Mount

from clock.web.access import read_access
from clock.web.api import OPERATIONS
from clock.web.application import application
from clock.web.problems import PROBLEMS
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import StartWeb
from tests.web.requests import Web

DOCS = "/api/v1/docs"
DESCRIPTION = "/api/v1/openapi.json"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        fields = dict(attributes)
        self.ids += [fields["id"] or ""] if "id" in fields else []
        self.links += [fields[name] or "" for name in ("href", "src") if name in fields]


def parsed(page: str) -> _Links:
    links = _Links()
    links.feed(page)
    return links


def test_every_operation_schema_and_problem_has_an_anchor_and_every_link_one(web: Web) -> None:
    answer = web.get(DOCS)
    page = parsed(answer.text)
    schemas = web.get(DESCRIPTION).json()["components"]["schemas"]
    expected = {
        *(operation.id for operation in OPERATIONS),
        *(f"schema-{name}" for name in schemas),
        *PROBLEMS,
    }
    assert expected <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    anchors = {link[1:] for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert all(link.startswith(("#", "/")) and not link.startswith("//") for link in page.links)
    assert (answer.status_code, "<script" in answer.text, "style=" in answer.text) == (
        200,
        False,
        False,
    )


def test_the_page_works_below_a_prefix(start_web: StartWeb) -> None:
    web = start_web()
    below = Web(Starlette(routes=[Mount("/ops/clock", web.app)]), web._headers)
    page = parsed(below.get(f"/ops/clock{DOCS}").text)
    ours = [link for link in page.links if not link.startswith("#")]
    assert all(link.startswith("/ops/clock/") for link in ours)
    assert [below.get(link).status_code for link in ours] == [200] * len(ours)


def test_the_type_of_a_problem_is_an_address_of_its_description(web: Web, clock: Watched) -> None:
    problem = web.get("/api/v1/events/nightly").json()
    page, _, anchor = problem["type"].partition("#")
    assert (page, anchor) == (DOCS, "unknown-event")
    assert anchor in parsed(web.get(page).text).ids
    assert (problem["title"], problem["status"]) == ("Not Found", 404)


@pytest.mark.parametrize(
    ("method", "path", "headers", "name"),
    [
        ("GET", "/nothing", {}, "not-found"),
        ("GET", "/jobs/x", {}, "unknown-job"),
        ("GET", "/jobs/x/output", {}, "no-output"),
        ("GET", "/jobs?cursor=x", {}, "invalid-cursor"),
        ("GET", "/jobs?limit=0", {}, "invalid-request"),
        ("GET", "/status", {"authorization": "Bearer wrong"}, "not-signed-in"),
        ("POST", "/status", {}, "method-not-allowed"),
        ("POST", "/queues/x/pause", {}, "unknown-queue"),
        ("POST", "/jobs/requeue", {"sec-fetch-site": "cross-site"}, "cross-site"),
    ],
)
def test_a_problem_has_the_type_of_its_cause(
    web: Web, clock: Watched, method: str, path: str, headers: dict[str, str], name: str
) -> None:
    answer = web.request(method, f"/api/v1{path}", headers)
    assert answer.json()["type"] == f"{DOCS}#{name}"
    assert answer.status_code == PROBLEMS[name].status


def test_the_docs_list_every_problem() -> None:
    page = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \| (.*) \|$", page, re.MULTILINE)
    problems = PROBLEMS.values()
    assert rows == [(str(problem.status), problem.name, problem.when) for problem in problems]


@pytest.mark.parametrize("is_public", [False, True])
def test_the_description_is_public_where_that_is_configured(redis: Redis, is_public: bool) -> None:
    environ = {"CLOCK_WEB_TOKEN": "a-token-of-tests", "CLOCK_WEB_PUBLIC_DESCRIPTION": "1"}
    environ |= {} if is_public else {"CLOCK_WEB_PUBLIC_DESCRIPTION": ""}
    access = read_access(environ, {"WEB_PUBLIC_DESCRIPTION": False})
    anybody = Web(application(redis, access=access, app="test", now=lambda: START), {})
    statuses = [anybody.get(path).status_code for path in (DESCRIPTION, DOCS)]
    assert statuses == ([200, 200] if is_public else [401, 303])
    assert anybody.get("/api/v1/status").status_code == 401
    assert anybody.post(DESCRIPTION).status_code == 401
