"""Reports, written to files."""

import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

from tasks.files import write_whole


def daily(folder: str = "var/reports") -> None:
    """Write the state of this machine's disk to `folder`/YYYY-MM-DD.txt (the date in UTC).

    A second run on the same day replaces the file.
    """
    now = datetime.now(UTC)
    path = Path(folder) / f"{now:%Y-%m-%d}.txt"
    write_whole(path, _report(now))
    print(f"report: wrote {path}", flush=True)


def _report(now: datetime) -> str:
    disk = shutil.disk_usage(".")
    return (
        f"Report of {now:%Y-%m-%d %H:%M} UTC\n"
        f"machine    {socket.gethostname()}\n"
        f"disk used  {disk.used / disk.total:.0%}\n"
        f"disk free  {disk.free / 2**30:.1f} GiB\n"
    )
