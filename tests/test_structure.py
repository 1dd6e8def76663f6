"""The house: who may import whom, and what the front door shows."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from itertools import islice
from pathlib import Path

import pytest

import clock

PACKAGE = Path(clock.__file__).parent

FLOORS = [
    {
        "errors",
        "exit_codes",
        "instant",
        "inside",
        "decision",
        "version",
        "suggest",
        "commands",
        "output",
    },
    {"recurrence", "webhook"},
    {"schedule"},
    {"settings", "keys"},
    {"connection", "log"},
    {"stop"},
    {"ledger"},
    {"runs"},
    {"observe"},
    {"jobs"},
    {"watchers"},
    {"loop", "worker", "web"},
    {"sources"},
    {"dev", "embedding", "importing"},
    {"cli"},
    {"__main__"},
]
"""From the ground up. A module may import from floors below, and within its own folder."""

EDGES = {
    Path("loop/loop.py"),
    Path("loop/server_time.py"),
    Path("loop/timekeeper.py"),
    Path("loop/dispatcher.py"),
    Path("loop/row_changes.py"),
    Path("sources/service.py"),
    Path("web/application.py"),
    Path("web/server_now.py"),
}
"""The modules that read the wall clock and hand the time on."""

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_nothing_imports_upwards(module: Path) -> None:
    own = _room(module)
    if own == "__init__":
        return
    for imported in _imports(PACKAGE / module):
        room = imported.split(".")[0]
        if room == own:
            continue
        assert _floor(room) < _floor(own), f"{module} imports clock.{imported}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {".".join(module.with_suffix("").parts) for module in MODULES}
    graph = {name: set(_imported_modules(name, names)) for name in names}
    TopologicalSorter(graph).prepare()  # raises CycleError, naming the circle


@pytest.mark.parametrize("room", ["recurrence"])
def test_the_recurrence_side_knows_neither_redis_nor_rq(room: str) -> None:
    code = (
        "import sys; sys.modules['rq'] = sys.modules['redis'] = None\n"
        "import importlib.util, pathlib, types\n"
        f"package = types.ModuleType('clock'); package.__path__ = [{str(PACKAGE)!r}]\n"
        "sys.modules['clock'] = package\n"
        "import importlib\n"
        f"for file in pathlib.Path({str(PACKAGE / room)!r}).glob('*.py'):\n"
        f"    importlib.import_module('clock.{room}.' + file.stem)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_below_the_loop_nothing_reads_the_wall_clock(module: Path) -> None:
    if module in EDGES or _room(module) in {"jobs", "worker", "cli", "dev", "log"}:
        return
    tree = ast.parse((PACKAGE / module).read_text())
    calls = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not calls & {"time.time", "datetime.now", "date.today", "time.monotonic"}


def test_the_front_door_shows_exactly_what_it_names() -> None:
    visible = {name for name in dir(clock) if not name.startswith("_")}
    modules = {name for name in visible if isinstance(getattr(clock, name), type(sys))}
    assert visible - modules - {"import_module"} == set(clock.__all__)
    assert len((PACKAGE / "__init__.py").read_text().splitlines()) < 40


def test_the_front_door_gives_what_its_stub_says() -> None:
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    told = {
        alias.name: node.module
        for node in ast.walk(stub)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told.keys() == set(clock.__all__)
    for name, module in told.items():
        assert getattr(clock, name) is getattr(importlib.import_module(str(module)), name)


def test_the_front_door_waits_for_nothing() -> None:
    code = (
        "import sys; import clock\n"
        "assert not [name for name in sys.modules if name.startswith('clock.')]\n"
        "assert 'redis' not in sys.modules and 'rq' not in sys.modules\n"
        "assert clock.every.__module__ == 'clock.schedule.declare'\n"
        "assert 'clock.recurrence.stream' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def _imported_modules(name: str, names: Collection[str]) -> Iterator[str]:
    """The modules of the package that one of them imports, anywhere in it."""
    for node in ast.walk(
        ast.parse((PACKAGE / name.replace(".", "/")).with_suffix(".py").read_text())
    ):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = node.module.removeprefix("clock").lstrip(".")
            for alias in node.names:
                # A name is a module of its own, or is in the one it is taken from.
                below = f"{module}.{alias.name}".lstrip(".")
                found = (each for each in (below, module, f"{module}.__init__") if each in names)
                yield from islice(found, 1)


def _room(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def _floor(room: str) -> int:
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def _imports(file: Path) -> set[str]:
    """What a file imports from the package, as dotted names behind ``clock.``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            names = names[1:] if node.module == "clock" else names[:1]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.removeprefix("clock.") for name in names if name.startswith("clock.")}
    return found
