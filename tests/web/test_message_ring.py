"""The latest messages, as many as fit."""

from __future__ import annotations

from clock.web import message_ring
from clock.web.message_ring import AT_ONCE, Message, MessageRing

LARGE = 2**15


def ring(count: int, largest: int = message_ring.LARGEST) -> MessageRing:
    """``count`` messages, whose texts begin with their numbers; every other one is of another
    type.
    """
    made = MessageRing(largest)
    for number in range(1, count + 1):
        made.append(Message("ab"[number % 2], f"{number} ".encode().ljust(LARGE)))
    return made


def numbers(text: bytes) -> list[int]:
    return list(map(int, text.split()))


def test_messages_are_taken_in_order_a_part_at_a_time() -> None:
    taken, at = [], 2
    while True:
        text, at = ring(9).take(at, {"a", "b"})
        if not text:
            break
        assert len(text) <= AT_ONCE
        taken += numbers(text)
    assert (taken, at) == ([3, 4, 5, 6, 7, 8, 9], 9)


def test_messages_of_other_types_are_skipped() -> None:
    text, at = ring(3).take(0, {"b"})
    assert (numbers(text), at) == ([1, 3], 3)
    assert ring(3).take(2, {"a"}) == (b"", 3)


def test_the_oldest_messages_give_way() -> None:
    kept = ring(100, largest=10 * LARGE)
    assert [kept.has_all_after(number) for number in (89, 91, 100, 101)] == [
        False,
        True,
        True,
        False,
    ]
    assert sum(len(message.text) for message in kept._messages.values()) <= 10 * LARGE


def test_a_message_larger_than_all_memory_is_not_kept() -> None:
    small = ring(1, largest=LARGE // 2)
    assert (small.last, small.has_all_after(0), small.has_all_after(1)) == (1, False, True)
