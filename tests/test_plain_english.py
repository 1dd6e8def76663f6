"""The words of the code are those of its field; STYLE's left column is not found in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import clock

PACKAGE = Path(clock.__file__).parent

TODO: set[str] = set()
"""Rooms that are not read yet."""

NAMES = {
    *("each", "found", "said", "told", "agenda", "near", "hand", "presence", "sweep", "takeover"),
    *("mourning", "fate", "gentle", "house", "sweeper", "telling", "mending", "tally", "refusal"),
    *("heed", "hush", "bell"),
}
"""Words that no part of an identifier is, because another one is the field's."""

WHOLE_NAMES = {"place", "places", "strip"}
"""Words that are no identifier of their own; ``str.strip`` is a method of Python's."""

SENTENCES = [
    r"\bis no (?!longer|more|such|other|event|queue|clock|job|worker|server|record|default)\w+",
    r"\bare no (?!longer|more|such)\w+",
    r"\bis not a text\b",
    r"\bless than nothing\b",
    r"\bat every turn\b",
    r"\bin hand\b",
    r"\bis told of\b",
    r"\bare told of\b",
    r"\bfor anything\b",
    r"\bmay not copy\b",
    r"\bbeside the others\b",
    r"\bwords of a schedule\b",
    r"\bsay (it )?once\b",
    r"\bmend(s|ed|ing)?\b",
    r"\bmourn(s|ed|ing)?\b",
    r"\bhush(es|ed)?\b",
    r"\bheed(s|ed)?\b",
    r"\bamiss\b",
    r"\belse for people on a terminal\b",
]
"""What no message, help text, docstring or comment has."""

ALLOWED = "clock.worker.mourning"
"""A name in queued jobs, which workers of 0.1.0 import."""

OLD_NAME = Path("worker", "mourning.py")
"""The module of that name."""

FILES = sorted(PACKAGE.rglob("*.py"))


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


READ = [file for file in FILES if _room(file) not in TODO and file != PACKAGE / OLD_NAME]

PROJECT = Path(__file__).parents[1]

TESTS = [
    file
    for folder in ("benchmarks", "tests/benchmarks", "tests/browser", "tests/cli", "tests/live")
    for file in sorted((PROJECT / folder).rglob("*.py"))
    if "worker" not in file.stem and file.parent.name != "retention"
]
"""Tests and benchmarks, but for those that name parts of the worker."""


def _relative(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The identifiers that this code makes, not those it uses of others. The names of tests are
    sentences, and not included.
    """
    for line, name in _made(tree):
        if not name.startswith("test_"):
            yield line, name


def _made(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


@pytest.mark.parametrize("file", [*READ, *TESTS], ids=_relative)
def test_identifiers_are_words_of_the_field(file: Path) -> None:
    wrong = []
    for line, name in _names(ast.parse(file.read_text())):
        parts = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
        if parts & NAMES or name.lower().strip("_") in WHOLE_NAMES:
            wrong.append(f"{_relative(file)}:{line}: {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", [*READ, *TESTS], ids=_relative)
def test_sentences_are_plain_english(file: Path) -> None:
    wrong = [
        f"{_relative(file)}:{number}: {line.strip()}"
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if any(re.search(rule, line, re.IGNORECASE) for rule in SENTENCES) and ALLOWED not in line
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", TESTS, ids=_relative)
def test_names_of_tests_are_under_80_characters(file: Path) -> None:
    wrong = [name for _, name in _made(ast.parse(file.read_text())) if len(name) > 79]
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_name_of_the_old_dialect() -> None:
    modules = [*(file for file in FILES if file != PACKAGE / OLD_NAME), *TESTS]
    parts = {part for file in modules for part in file.stem.split("_")}
    assert not parts & (NAMES | WHOLE_NAMES)
