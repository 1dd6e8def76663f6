"""Hashes of passwords: scrypt (RFC 7914), with parameters and salt in one word."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

SHORTEST = 8
"""Minimum length of a password or a token, in characters."""

COST, BLOCK, PARALLEL = 2**14, 8, 5
"""OWASP's parameters for 16 MiB of memory; some 200 ms."""

LARGEST_COST, LARGEST_BLOCK, LARGEST_PARALLEL = 2**17, 16, 16

_MEMORY = 2**29
_KIND = "scrypt"


def hash_password(password: str, salt: bytes | None = None) -> str:
    """The hash of ``password`` with a random salt, as ``scrypt:COST:BLOCK:PARALLEL:SALT:KEY``."""
    salt = secrets.token_bytes(16) if salt is None else salt
    key = _key(password, salt, COST, BLOCK, PARALLEL)
    return ":".join((_KIND, *map(str, (COST, BLOCK, PARALLEL)), _encode(salt), _encode(key)))


def check_hash(text: str) -> None:
    """Raise ValueError unless ``text`` is a hash of ``hash_password``."""
    _parse(text)


def is_password(password: str, text: str) -> bool:
    """Whether ``text`` is the hash of ``password``. Raises ValueError if it is not a hash."""
    cost, block, parallel, salt, key = _parse(text)
    return hmac.compare_digest(_key(password, salt, cost, block, parallel, len(key)), key)


def _key(
    password: str, salt: bytes, cost: int, block: int, parallel: int, length: int = 32
) -> bytes:
    return hashlib.scrypt(
        password.encode(errors="surrogatepass"),
        salt=salt,
        n=cost,
        r=block,
        p=parallel,
        maxmem=_MEMORY,
        dklen=length,
    )


def _parse(text: str) -> tuple[int, int, int, bytes, bytes]:
    kind, *numbers, salt, key = text.split(":") if text.count(":") == 5 else ("", "", "")
    if kind != _KIND or not all(word.isascii() and word.isdecimal() for word in numbers):
        raise ValueError("not a hash of clock web --hash")
    cost, block, parallel = (int(word[:9]) for word in numbers)
    is_power = cost > 1 and cost & (cost - 1) == 0
    is_bounded = cost <= LARGEST_COST and block <= LARGEST_BLOCK and parallel <= LARGEST_PARALLEL
    if not (is_power and is_bounded and block and parallel):
        raise ValueError("a hash with parameters out of range")
    secret = _decode(key)
    if len(secret) < 16:
        raise ValueError("an incomplete hash")
    return cost, block, parallel, _decode(salt), secret


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
