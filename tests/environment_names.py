"""The settings and the environment variables that the code reads, found in its source."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import clock

PACKAGE = Path(clock.__file__).parent
SETTINGS = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    # The keys of the dictionary SENTINEL are RQ's.
    if file != PACKAGE / "connection" / "sentinel.py"
]
CAPITALS = re.compile(r"[A-Z][A-Z_]+")


class Lookup(NamedTuple):
    """A name that is looked up in a mapping; ``mapping`` is the source of the expression."""

    mapping: str
    name: str


@cache
def variables() -> set[str]:
    """Every environment variable that a module of the package reads."""
    lookups = _lookups_of(sorted(PACKAGE.rglob("*.py")))
    options = {name for file in PACKAGE.rglob("*.py") for name in _envvars(_tree(file))}
    return options | {lookup.name for lookup in lookups if "environ" in lookup.mapping}


@cache
def settings() -> set[str]:
    """Every name of a settings module that a module of the package reads."""
    return {lookup.name for lookup in _lookups_of(SETTINGS) if "environ" not in lookup.mapping}


def _lookups_of(files: Iterable[Path]) -> Iterator[Lookup]:
    for tree in map(_tree, files):
        for function in [tree, *ast.walk(tree)]:
            if isinstance(function, ast.FunctionDef | ast.Module):
                yield from _lookups(function, tree)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _envvars(tree: ast.Module) -> Iterator[str]:
    """The ``envvar=`` of the options of a command."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "envvar":
            yield from _strings(ast.Tuple(elts=[node.value]), tree)


def _lookups(function: ast.FunctionDef | ast.Module, tree: ast.Module) -> Iterator[Lookup]:
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=mapping, attr="get"), args=[key, *_]):
                pass
            case ast.Subscript(value=mapping, slice=key, ctx=ast.Load()):
                pass
            case _:
                continue
        for name in _values(key, function, tree):
            if CAPITALS.fullmatch(name):
                yield Lookup(ast.unparse(mapping), name)


def _values(
    key: ast.expr, function: ast.FunctionDef | ast.Module, tree: ast.Module
) -> Iterator[str]:
    """What a key may be: a constant, an argument of the function, or an item of a tuple."""
    match key:
        case ast.Constant(value=str(name)):
            yield name
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue(value=end)]):
            yield from (prefix + name for name in _values(end, function, tree))
        case ast.Name(id=name):
            yield from _arguments(name, function, tree)
            yield from _items(name, function, tree)


def _arguments(
    name: str, function: ast.FunctionDef | ast.Module, tree: ast.Module
) -> Iterator[str]:
    """What calls pass for this argument of the function: those in the module or, of a function that
    is not private, in the package.
    """
    if isinstance(function, ast.Module) or name not in [arg.arg for arg in function.args.args]:
        return
    position = [arg.arg for arg in function.args.args].index(name)
    trees = [tree] if function.name.startswith("_") else [_tree(file) for file in SETTINGS]
    for calling in trees:
        for caller, arguments in _calls(calling).get(function.name, ()):
            yield from _values(arguments[position], caller, calling)


@cache
def _calls(tree: ast.Module) -> Mapping[str, list[tuple[ast.FunctionDef, list[ast.expr]]]]:
    """The calls that the functions of a module make: by name the caller and the arguments."""
    calls: defaultdict[str, list[tuple[ast.FunctionDef, list[ast.expr]]]] = defaultdict(list)
    for caller in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(caller):
            match node:
                case ast.Call(func=ast.Name(id=called), args=args):
                    calls[called].append((caller, args))
    return calls


def _items(name: str, function: ast.AST, tree: ast.Module) -> Iterator[str]:
    for items in _loops(function).get(name, ()):
        yield from _strings(items, tree)


@cache
def _loops(function: ast.AST) -> Mapping[str, list[ast.expr]]:
    """What the loops and comprehensions of a function go over, by the name of their variable."""
    loops: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(function):
        match node:
            case ast.comprehension(target=ast.Name(id=name), iter=items):
                loops[name].append(items)
            case ast.For(target=ast.Name(id=name), iter=items):
                loops[name].append(items)
    return loops


def _strings(items: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The strings of a tuple, or of the constant of the module that has this name."""
    if isinstance(items, ast.Name):
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == items.id:
                    yield from _strings(value, tree)
    elif isinstance(items, ast.Tuple):
        constants = (item.value for item in items.elts if isinstance(item, ast.Constant))
        yield from (value for value in constants if isinstance(value, str))
