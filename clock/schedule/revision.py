"""A schedule as it stood in a git revision: ``git:REV:path``."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from clock.errors import ScheduleError, all_mistakes
from clock.schedule.load import load
from clock.schedule.schedule import Schedule

PREFIX = "git:"


def load_any(path: str, *, serializer: str = "pickle") -> Schedule:
    """The schedule at ``path``, a file or ``git:REV:path``. Raises ScheduleError."""
    if path.startswith(PREFIX):
        return load_revision(path, serializer=serializer)
    return load(path, serializer=serializer)


def load_revision(spec: str, *, serializer: str = "pickle") -> Schedule:
    """The schedule that ``git:REV:path`` names, ``path`` being counted from the repository's root.

    All files of the revision are laid out in a temporary folder, so that what the schedule imports
    from its own folder or from the root is of that revision too. Modules that were imported before
    stay as they are. Raises ScheduleError, with ``git:REV:path`` for its path.
    """
    revision, _, path = spec.removeprefix(PREFIX).partition(":")
    if not revision or not path:
        raise ScheduleError(
            spec,
            None,
            "is not a revision; write git:REV:path, as in 'git:main:schedules/main.py'",
        )
    archive = _archive(spec, revision)
    with tempfile.TemporaryDirectory(prefix="clock-") as folder:
        root = Path(folder).resolve()
        _lay_out(archive, root)
        shown = f"{PREFIX}{revision}:"
        try:
            schedule = load(root / path, serializer=serializer, root=root)
        except ScheduleError as error:
            raise all_mistakes(
                [
                    ScheduleError(
                        mistake.path.replace(f"{root}/", shown),
                        mistake.line,
                        mistake.message.replace(f"{root}/", shown),
                    )
                    for mistake in (error, *error.others)
                ],
                f"{shown}{path}",
            ) from None
    events = {
        name: replace(event, path=event.path.replace(f"{root}/", shown))
        for name, event in schedule.events.items()
    }
    return replace(schedule, path=spec, events=events)


def _archive(spec: str, revision: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise ScheduleError(spec, None, "cannot be read: git is not installed")
    top = _git(spec, [git, "rev-parse", "--show-toplevel"], "this folder is in no git repository")
    commit = _git(
        spec,
        [git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
        f"unknown revision {revision!r}",
    )
    root, name = (line.decode().rstrip("\n") for line in (top, commit))
    return _git(spec, [git, "-C", root, "archive", "--format=tar", name], "git archive failed")


def _git(spec: str, command: list[str], failure: str) -> bytes:
    run = subprocess.run(command, capture_output=True, check=False)
    if run.returncode != 0:
        raise ScheduleError(spec, None, f"cannot be read: {failure}")
    return run.stdout


def _lay_out(archive: bytes, root: Path) -> None:
    """Write the plain files of an archive below ``root``; links could lead out of it."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            target = (root / member.name).resolve()
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and target.is_relative_to(root):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
