"""Every field that is on a server, and hostile values in their place."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MARKUP = b"<script>alert(1)</script>\"'>&"

WHOLE = [
    b"", b" ", b"\n", b"\xff\xfe", b"\xed\xa0\x80", b"\x00\x1b[31m\r\x07\x7f", MARKUP, b"nan",
    b"-inf", b"1e400", b"9" * 5000, b"-1", b"-62135596801", b"253402300800", b"1e17", b"0", b"1.5",
    b"999999-01-01T00:00:00Z", b"0001-01-01T00:00:00+14:00", b"null", b"[]", b"{}", b"[NaN]",
    b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"', b"x" * 200_000, "\u202e\u2028٣".encode(),
    b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", b"%s{0}{{a}}", b"../../etc/passwd",
]  # fmt: skip
"""What stands in the place of a whole field."""

HUGE = b"x" * 5_000_000
"""There is one of it at a time: ten would be what a server may not hold either."""

NUMBERS = [
    b"-1", b"0", b"9" * 400, b"1e400", b"-1e308", b"NaN", b"253402300800", b"-62135596801", b"0.5",
    b"99999999999999", b"null", b"true", b"[]", b"{}", b'"x"',
]  # fmt: skip
TEXTS = [
    b'""', b'"\\ud800"', b'"\\u0000\\u001b[31m"', b'"<script>alert(1)</script>"', b"-1", b"null",
    b"[]", b"{}", b"NaN", b'"Mars/Olympus"', b'"999999-01-01"', b'"' + b"y" * 100_000 + b'"',
    b"[" * 3000 + b"]" * 3000,
]  # fmt: skip
"""What stands in the place of a number or a string inside a field."""

SCORES = [-1e308, 1e308, float("inf"), float("-inf"), -1.0, 0.5, 253402300800.0, 1e17]
"""What a score of a sorted set may be."""

MEMBERS_OF_A_KIND = 3
"""Keys of one kind, as ``rq:job:*``, whose fields are replaced: the last ones."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?')
_VARIABLE = re.compile(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{10,}|\d{8}T\d{6}Z|\d+")


@dataclass(frozen=True, slots=True)
class Field:
    """One value on the server; ``put`` writes another one in its place, ``kind`` is what it has in
    common with others of its kind.
    """

    kind: bytes
    key: bytes
    now: bytes
    put: Callable[[Any, bytes], None]


def fields(redis: Any) -> list[Field]:
    """The fields of all keys, ``MEMBERS_OF_A_KIND`` keys of each kind."""
    kinds: dict[bytes, list[bytes]] = defaultdict(list)
    for key in sorted(redis.scan_iter("*", count=1000)):
        kinds[_VARIABLE.sub(b"*", key)].append(key)
    return [
        field
        for kind, members in kinds.items()
        for key in members[-MEMBERS_OF_A_KIND:]
        for field in _of_key(redis, kind, key)
    ]


def hostile(now: bytes, chance: random.Random) -> bytes:
    """Something hostile in the place of ``now``, or of a number or a string in it."""
    tokens = list(_TOKEN.finditer(now)) if len(now) < 10_000 else []
    if not tokens or chance.random() < 0.4:
        return chance.choice([*WHOLE, now[: len(now) // 2], now + now])
    token = chance.choice(tokens)
    values = TEXTS if token[0].startswith(b'"') else NUMBERS
    return now[: token.start()] + chance.choice(values) + now[token.end() :]


def _of_key(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    read: Mapping[bytes, Callable[[Any, bytes, bytes], Iterator[Field]]] = {
        b"hash": _of_hash, b"list": _of_list, b"set": _of_set, b"zset": _of_zset,
        b"stream": _of_stream, b"string": _of_string,
    }  # fmt: skip
    yield Field(kind + b" type", key, b"", lambda redis, value: _retype(redis, key, value))
    yield from read[redis.type(key)](redis, kind, key)


def _retype(redis: Any, key: bytes, value: bytes) -> None:
    is_string = redis.type(key) == b"string"
    redis.delete(key)
    if is_string or len(value) % 2:
        redis.rpush(key, value)
    else:
        redis.set(key, value)


def _of_hash(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    for name, now in redis.hgetall(key).items():
        yield Field(
            b"%s %s" % (kind, name),
            key,
            now,
            lambda redis, value, name=name: redis.hset(key, name, value),  # type: ignore[misc]
        )
        yield Field(
            kind + b" name",
            key,
            name,
            lambda redis, value, now=now: redis.hset(key, value, now),  # type: ignore[misc]
        )


def _of_list(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    for at, now in enumerate(redis.lrange(key, 0, 3)):
        yield Field(
            kind,
            key,
            now,
            lambda redis, value, at=at: redis.lset(key, at, value),  # type: ignore[misc]
        )


def _of_set(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    for now in redis.smembers(key):
        yield Field(kind, key, now, lambda redis, value: redis.sadd(key, value))


def _of_zset(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    for now, score in redis.zrange(key, 0, 3, withscores=True):
        yield Field(
            kind,
            key,
            now,
            lambda redis, value, score=score: redis.zadd(key, {value: score}),  # type: ignore[misc]
        )
        yield Field(
            kind + b" score",
            key,
            b"",
            lambda redis, value, now=now: redis.zadd(  # type: ignore[misc]
                key, {now: SCORES[len(value) % len(SCORES)]}
            ),
        )


def _of_stream(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    for _, entry in redis.xrange(key):
        for name, now in entry.items():
            yield Field(
                b"%s %s" % (kind, name),
                key,
                now,
                lambda redis, value, name=name, entry=entry: redis.xadd(  # type: ignore[misc]
                    key, entry | {name: value}
                ),
            )


def _of_string(redis: Any, kind: bytes, key: bytes) -> Iterator[Field]:
    yield Field(kind, key, redis.get(key), lambda redis, value: redis.set(key, value))
