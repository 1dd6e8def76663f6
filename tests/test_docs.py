"""The pages of docs/: linked, with links that lead somewhere, and names that exist."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from redis import Redis

from clock.schedule.options import OPTIONS
from tests.live.environment import bare_environment
from tests.test_plain_english import SENTENCES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TESTED_ELSEWHERE = {"jobs.md", "sources.md", "web.md"}
"""Pages whose Python runs beside a worker or a database, or in an application:
tests/test_docs_jobs.py, tests/test_docs_sources.py and tests/web/test_pages.py."""


def _text(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def _links(page: Path) -> Iterator[str]:
    return (match[1] or match[2] for match in LINK.finditer(_text(page)))


def _anchors(page: Path) -> set[str]:
    """The anchors of the headings, as Python-Markdown makes them, and GitHub for these."""
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[\s]+", "-", heading) for heading in words}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in _links(page):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page if not name else (page.parent / name).resolve()
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in _anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_links_out_of_the_site(page: Path) -> None:
    for link in _links(page):
        if "://" not in link and not link.startswith("#"):
            assert not link.startswith("/")
            assert (page.parent / link).resolve().is_relative_to(DOCS), link


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_the_prose_is_plain_english(page: Path) -> None:
    wrong = [
        line
        # What `make bench` writes comes from benchmarks/.
        for line in _text(page).partition("<!-- written by make bench -->")[0].splitlines()
        if any(re.search(rule, line, re.IGNORECASE) for rule in SENTENCES)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_page_is_linked_from_the_index_and_in_the_navigation() -> None:
    names = {str(page.relative_to(DOCS)) for page in PAGES} - {"index.md"}
    assert {link for link in _links(DOCS / "index.md") if link.endswith(".md")} == names
    navigation = (ROOT / "mkdocs.yml").read_text().partition("nav:")[2]
    assert set(re.findall(r"[\w/-]+\.md", navigation)) == names | {"index.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_what_it_is_for_and_shows_an_example(page: Path) -> None:
    title, _, rest = page.read_text(encoding="utf-8").partition("\n\n")
    assert re.fullmatch(r"# .+", title)
    begin = rest.partition("\n## ")[0]
    assert rest[0].isalpha(), "a page begins with a sentence"
    assert "```" in begin or "| `" in begin, "the first example comes before the first section"


def test_names_on_the_page_of_the_architecture_exist() -> None:
    page = DOCS / "architecture.md"
    names = re.findall(r"`(clock(?:\.\w+)+)`", _text(page))
    files = re.findall(r"`((?:clock|tests)/[\w/]+\.\w+)`", _text(page))
    assert len(names) > 40
    for name in names:
        assert _exists(name), name
    assert files
    for file in files:
        assert (ROOT / file).exists(), file


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if page.name not in TESTED_ELSEWHERE and PYTHON.search(page.read_text())
    ],
    ids=lambda page: page.name,
)
def test_the_python_of_a_page_runs(
    page: Path, tmp_path: Path, redis: Redis, server_url: str
) -> None:
    """A block that begins with the name of a file is that file; others are programs beside it."""
    blocks = PYTHON.findall(page.read_text(encoding="utf-8"))
    numbers = count(1)
    for block in blocks:
        named = re.match(r"# (\S+\.py)\n", block)
        file = tmp_path / (named[1] if named else f"program{next(numbers)}.py")
        file.write_text(block)
        run = ["-m", "clock", "list"] if "\nevery(" in block else []
        subprocess.run(
            [sys.executable, *run, file.name],
            cwd=tmp_path,
            env=bare_environment() | {"REDIS_URL": server_url},
            check=True,
            timeout=60,
        )


def test_the_headings_under_which_fault_tests_are_recorded_exist() -> None:
    page = (DOCS / "faults.md").read_text().splitlines()
    sources = [file.read_text() for file in (ROOT / "benchmarks" / "faults").glob("*.py")]
    headings = [heading for text in sources for heading in re.findall(r'"(## .+)"', text)]
    assert len(headings) == 4
    assert set(headings) <= set(page)


def test_the_page_of_schedule_files_has_every_option_and_no_other() -> None:
    tables = (DOCS / "schedule.md").read_text().partition("## Times")[2].partition("## Your own")[0]
    rows = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    named = re.findall(r"`(\w+)`", "".join(rows))
    assert sorted(named) == sorted(OPTIONS)


def test_the_readme_has_every_option_of_a_schedule_file() -> None:
    section = (ROOT / "README.md").read_text().partition("## Schedule reference")[2]
    named = re.findall(r"`(\w+)`", section.partition("## Commands")[0])
    assert set(OPTIONS) <= set(named)


def test_every_room_of_the_package_is_in_the_table_of_contributing() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| room |")[2].partition("\n\n")[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:]))
    modules = {path.stem for path in (ROOT / "clock").glob("*.py") if path.stem[:2] != "__"}
    folders = {path.parent.name for path in (ROOT / "clock").glob("*/__init__.py")}
    assert sorted(named) == sorted(modules | folders)


def test_every_target_that_contributing_names_is_in_the_makefile() -> None:
    named = set(re.findall(r"`make ([a-z0-9-]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - targets == {"bench-burst"}
