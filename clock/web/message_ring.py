"""The latest messages of the event stream, as many as fit into some memory."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

LARGEST = 2**23
"""Bytes of all messages that are kept."""

AT_ONCE = 2**16
"""Bytes that are taken at once, unless one message is larger."""

_OWN = 200
"""Bytes that a message takes besides its text."""


class Message(NamedTuple):
    """A message of the type ``kind``, with its text as it is sent."""

    kind: str
    text: bytes


class MessageRing:
    """Messages with the numbers 1, 2, and so on; the oldest give way to new ones. ``last`` is the
    number of the newest, 0 before the first; ``largest`` is in bytes.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self.last = 0
        self._largest = largest
        self._messages: dict[int, Message] = {}
        self._first = 1
        self._size = 0

    def append(self, message: Message) -> None:
        """Add a message, whose number is then ``last``."""
        self.last += 1
        self._messages[self.last] = message
        self._size += len(message.text) + _OWN
        while self._size > self._largest:
            self._size -= len(self._messages.pop(self._first).text) + _OWN
            self._first += 1

    def has_all_after(self, number: int) -> bool:
        """Whether all messages after ``number`` are still kept; a number to come has none."""
        return self._first - 1 <= number <= self.last

    def take(self, number: int, kinds: Collection[str]) -> tuple[bytes, int]:
        """The messages of ``kinds`` after ``number``, at most ``AT_ONCE`` bytes or one of them, and
        the number up to which these are all.
        """
        texts, size = [], 0
        while number < self.last:
            kind, text = self._messages[number + 1]
            if kind in kinds:
                if size and size + len(text) > AT_ONCE:
                    break
                texts.append(text)
                size += len(text)
            number += 1
        return b"".join(texts), number
