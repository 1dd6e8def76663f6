"""The wall clock of one process, set by libfaketime where that is installed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PATHS = (
    (Path("/usr/lib"), "*/faketime/libfaketime.so.1"),
    (Path("/usr/lib"), "faketime/libfaketime.so.1"),
    (_ROOT / ".venv" / "clients" / "faketime", "usr/lib/*/faketime/libfaketime.so.1"),
)
"""Where it is installed, or where ``make test`` unpacks it."""

_SHARED = ("faketime_shm_{}", "sem.faketime_sem_{}")


def libfaketime() -> Path | None:
    """The library of Debian's package ``libfaketime``, or None."""
    return next((path for folder, name in _PATHS for path in folder.glob(name)), None)


class WallClock:
    """An offset to the true time, which a running process follows."""

    def __init__(self, library: Path, file: Path) -> None:
        """``file`` is where the process looks the offset up."""
        self._library = library
        self._file = file
        self.set(0)

    def set(self, offset: int) -> None:
        """Let it be ``offset`` seconds ahead of the true time."""
        # Replaced whole: the process may look at any moment.
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset:+d}\n")
        new.replace(self._file)

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to follow it."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def clean_after(self, pid: int) -> None:
        """Remove what the library leaves in shared memory of a process that was killed."""
        for name in _SHARED:
            with suppress(FileNotFoundError):
                Path("/dev", "shm", name.format(pid)).unlink()
