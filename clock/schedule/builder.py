"""The builder of a schedule: it collects the declarations of a file and makes the events.

A builder lives as long as its file is read. It is kept in a context variable, so two builders, in
two threads or one inside the other, do not see each other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from clock.errors import RecurrenceError, ScheduleError, SettingsError
from clock.recurrence.zone import Zone, zone
from clock.schedule.assembly import Assembly, Declaration
from clock.schedule.checks import LONGEST_STRING
from clock.schedule.schedule import Schedule
from clock.schedule.source import Source, SourceDeclaration


@dataclass(slots=True)
class FileSettings:
    """The settings of one file for all its events, and their lines."""

    zone: Zone | None = None
    zone_line: int = 0
    defaults: Mapping[str, Any] = field(default_factory=dict)
    defaults_line: int = 0


@dataclass(slots=True)
class ScheduleBuilder:
    """Collects what a schedule file, and the files it imports, declare while they are read."""

    path: str
    dumps: Callable[[Any], bytes]
    serializer: str
    declarations: dict[str, Declaration] = field(default_factory=dict)
    files: dict[str, FileSettings] = field(default_factory=dict)
    sources: dict[str, SourceDeclaration] = field(default_factory=dict)
    mistakes: list[ScheduleError] = field(default_factory=list)
    _options: dict[tuple[Any, ...], Mapping[str, Any]] = field(default_factory=dict)

    def is_main(self, path: str) -> bool:
        """Whether ``path`` is the schedule file itself, under whatever name."""
        name = os.path.basename(self.path)
        return os.path.basename(path) == name and os.path.realpath(path) == os.path.realpath(
            self.path
        )

    @contextmanager
    def noting(self, path: str, line: int) -> Iterator[None]:
        """Note what the block raises as a mistake of that line, and go on behind it."""
        try:
            yield
        except ScheduleError as error:
            self.mistakes.append(error)
        except ValueError as error:
            self.mistakes.append(ScheduleError(path, line, str(error)))

    def settings(self, path: str) -> FileSettings:
        """The settings of the file at ``path``."""
        return self.files.setdefault(path, FileSettings())

    def declare(self, declaration: Declaration) -> None:
        """Keep a declaration; raises ScheduleError where its name is taken.

        Options that many have in common are kept once: a hundred thousand declarations are all
        there before the first becomes an event.
        """
        taken = self.declarations.get(declaration.name)
        if taken is not None:
            raise ScheduleError(
                declaration.path,
                declaration.line,
                f"the name {declaration.name!r} is taken by {taken.path}:{taken.line}; "
                f"names are unique, so write name={self._free_name(declaration, taken)!r} here",
            )
        self.declarations[declaration.name] = declaration._replace(
            options=self._shared(declaration.options)
        )

    def _free_name(self, declaration: Declaration, taken: Declaration) -> str:
        """A name for a declaration whose own is taken: with its times, else with a number."""
        name = declaration.name[: LONGEST_STRING - 10]
        with_times = f"{name} ({declaration.rule})"
        names = chain(
            [with_times] if declaration.rule != taken.rule else [],
            (f"{name} {number}" for number in count(2)),
        )
        return next(
            free for free in names if free not in self.declarations and len(free) <= LONGEST_STRING
        )

    def declare_source(self, declared: SourceDeclaration) -> None:
        """Keep a source; raises ScheduleError where its name is taken."""
        taken = self.sources.get(declared.name)
        if taken is not None:
            raise ScheduleError(
                declared.path,
                declared.line,
                f"the source {declared.name!r} is declared at {taken.path}:{taken.line} too; "
                "give one of the two another name",
            )
        self.sources[declared.name] = declared

    def _shared(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._options.setdefault(tuple(options.items()), options)
        except TypeError:  # a meta has no hash
            return options

    def schedule(self, environ: Mapping[str, str]) -> Schedule:
        """The finished schedule, without the events that have ``mistakes``: those that are only
        known at the end are added to them.
        """
        main = self.settings(self.path)
        try:
            default_zone = main.zone or _zone_of(environ)
        except SettingsError as error:
            self.mistakes.append(ScheduleError(self.path, None, str(error)))
            default_zone = zone("UTC")
        assembly = Assembly(self.dumps, self.serializer)
        sources = {}
        for name, declared in self.sources.items():
            with self.noting(declared.path, declared.line):
                sources[name] = self._source(declared, main, default_zone, assembly)
        events = {}
        for name in list(self.declarations):
            # A declaration makes room for its event, so that a hundred thousand need it once.
            declaration = self.declarations.pop(name)
            own = self.settings(declaration.path)
            defaults = {**main.defaults, **own.defaults}
            with self.noting(declaration.path, declaration.line):
                events[name] = assembly.event(declaration, defaults, own.zone or default_zone)
        return Schedule(path=self.path, zone=default_zone, events=events, sources=sources)

    def _source(
        self, declared: SourceDeclaration, main: FileSettings, zone: Zone, assembly: Assembly
    ) -> Source:
        own = self.settings(declared.path)
        defaults = {**main.defaults, **own.defaults}
        if "if_" in defaults:
            raise ScheduleError(
                declared.path,
                declared.line,
                "if_= is code, which rows of a source cannot have; "
                "write it at the events that need it, not in defaults(...)",
            )
        return Source(declared, defaults, own.zone or zone, assembly)


BUILDER: ContextVar[ScheduleBuilder | None] = ContextVar("clock_builder", default=None)
"""The builder of the file that is being read, or None."""


def _zone_of(environ: Mapping[str, str]) -> Zone:
    for variable in ("CLOCK_TZ", "TZ"):
        # The C library lets TZ begin with a colon.
        name = environ.get(variable, "").removeprefix(":")
        if name:
            try:
                return zone(name)
            except RecurrenceError as error:
                raise SettingsError(f"{variable}: {error}") from None
    return zone("UTC")
