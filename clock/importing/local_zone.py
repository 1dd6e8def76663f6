"""The zone of this machine, in which other schedulers run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def local_zone(environ: Mapping[str, str], localtime: Path = Path("/etc/localtime")) -> str:
    """The name of the zone: ``TZ``, or where ``localtime`` leads; UTC where neither names one."""
    if environ.get("TZ"):
        return environ["TZ"].lstrip(":")
    _, folder, name = str(localtime.resolve()).partition("/zoneinfo/")
    return name if folder and name.lower() not in {"etc/utc", "uct"} else "UTC"
