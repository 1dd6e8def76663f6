from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clock import ScheduleError
from clock.schedule.revision import load_any
from tests.schedule.writing import HEADER

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")

Commit = Callable[[dict[str, str]], None]


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commit:
    """Write files into a repository, which is the current folder, and commit them."""
    monkeypatch.chdir(tmp_path)
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)

    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], check=True, capture_output=True)  # noqa: S607

    git("init", "--quiet", "--initial-branch=main")

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message=x")

    return write


def test_a_schedule_is_read_as_it_stood_with_its_neighbours(commit: Commit) -> None:
    main = HEADER + "import feeds\nfrom plans import extra\n"
    for hour in ("08", "09"):
        commit(
            {
                "plans/main.py": main,
                "plans/feeds.py": HEADER + f"every('day', 'tasks.feeds', at='{hour}:00')",
                "plans/extra.py": HEADER + f"every('day', 'tasks.extra', at='{hour}:00')",
            }
        )
    old, new = load_any("git:HEAD~1:plans/main.py"), load_any("plans/main.py")
    assert [event_.rule for event_ in old.events.values()] == ["day at 08:00"] * 2
    assert [event_.rule for event_ in new.events.values()] == ["day at 09:00"] * 2
    assert old.path == "git:HEAD~1:plans/main.py"
    assert old.events["tasks.feeds"].path == "git:HEAD~1:plans/feeds.py"
    assert not {"feeds", "plans", "plans.extra"} & set(sys.modules)


def test_a_mistake_in_a_revision_names_it(commit: Commit) -> None:
    commit({"main.py": HEADER + "every('day', 'tasks.a')\nevery('day', 'tasks.a')"})
    with pytest.raises(ScheduleError) as caught:
        load_any("git:main:main.py")
    assert str(caught.value) == (
        "git:main:main.py:3: the name 'tasks.a' is taken by git:main:main.py:2; "
        "names are unique, so write name='tasks.a 2' here"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("git:nowhere:main.py", "cannot be read: unknown revision 'nowhere'"),
        ("git:--help:main.py", "cannot be read: unknown revision '--help'"),
        ("git:main:none.py", "cannot be read: No such file or directory"),
        ("git:main", "is not a revision; write git:REV:path, as in 'git:main:schedules/main.py'"),
        ("git::x.py", "is not a revision; write git:REV:path, as in 'git:main:schedules/main.py'"),
    ],
)
def test_what_git_does_not_have_is_refused(commit: Commit, spec: str, message: str) -> None:
    commit({"main.py": HEADER})
    with pytest.raises(ScheduleError) as caught:
        load_any(spec)
    assert str(caught.value) == f"{spec}: {message}"


def test_a_revision_outside_of_a_repository_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ScheduleError) as caught:
        load_any("git:main:main.py")
    assert caught.value.message == "cannot be read: this folder is in no git repository"


def test_a_revision_without_git_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ScheduleError) as caught:
        load_any("git:main:main.py")
    assert caught.value.message == "cannot be read: git is not installed"
