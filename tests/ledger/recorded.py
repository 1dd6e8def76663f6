"""The ledger that 0.1.0 left, see ``recording.py``, and what it said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import Redis

RECORDED = json.loads(Path(__file__).with_name("recorded_0_1_0.json").read_text("utf-8"))

AT: float = RECORDED["at"]
"""When the last clock of 0.1.0 had stopped, in UTC seconds since 1970."""


def restore(redis: Redis) -> None:
    """Write every recorded key into an empty server."""
    for name, key in RECORDED["keys"].items():
        match key["type"], key["value"]:
            case "hash", value:
                redis.hset(name, mapping={_bytes(field): _bytes(value[field]) for field in value})
            case "list", value:
                redis.rpush(name, *map(_bytes, value))
            case "set", value:
                redis.sadd(name, *map(_bytes, value))
            case "zset", value:
                redis.zadd(name, {_bytes(item): score for item, score in value.items()})
            case kind, _:
                raise ValueError(f"{name} is a {kind}")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def lost(before: Mapping[str, Any], now: Mapping[str, Any], *free: str) -> dict[str, Any]:
    """What 0.1.0 said and is not said now, but for the fields that are ``free`` to change."""
    return {
        field: (value, now.get(field))
        for field, value in before.items()
        if field not in free and now.get(field) != value
    }
