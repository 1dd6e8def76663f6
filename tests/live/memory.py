"""How much memory a process has taken."""

from __future__ import annotations

from pathlib import Path

MEGABYTE = 2**20


def peak(pid: int) -> int:
    """Bytes of memory that a process had at most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
