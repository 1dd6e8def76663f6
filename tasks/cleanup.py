"""Removal of old files."""

import time
from pathlib import Path

DAY = 24 * 60 * 60


def old_files(folder: str = "var", older_than_days: float = 7) -> None:
    """Remove the files below `folder` last written more than `older_than_days` days ago.

    Does nothing where the folder is missing. Symbolic links are kept.
    """
    limit = time.time() - older_than_days * DAY
    removed = sum(_remove_if_older(path, limit) for path in Path(folder).rglob("*"))
    print(f"cleanup: removed {removed} old files from {folder}", flush=True)


def _remove_if_older(path: Path, limit: float) -> bool:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_mtime >= limit:
            return False
        path.unlink()
    except FileNotFoundError:  # another run of this task was quicker
        return False
    return True
