"""What a serializer wrote, read without running it and in bounded memory."""

from __future__ import annotations

import json
import pickle
import random
import zlib
from datetime import datetime
from typing import Any

import pytest
from rq.serializers import DefaultSerializer, JSONSerializer

from clock.observe.rq.payload import (
    DEEPEST,
    LARGEST,
    MOST,
    SEARCHED,
    inflate,
    inflate_ends,
    read_arguments,
    read_meta,
    read_plain,
    read_task,
)

PLAIN = {"a": [1, -2.5, None, True, "ü"], "b": {"c": ("x", b"y")}, "d": {1, 2}, "e": [7] * 1000}


@pytest.mark.parametrize("protocol", [4, 5])
def test_plain_values_are_read(protocol: int) -> None:
    assert read_plain(pickle.dumps(PLAIN, protocol)) == PLAIN


def test_what_rq_writes_is_read() -> None:
    call = ("tasks.x", None, (1, "a"), {"b": None})
    for packer in (DefaultSerializer, JSONSerializer):
        for data in (packer.dumps(call), zlib.compress(packer.dumps(call))):
            assert read_task(data) == "tasks.x"
            assert read_arguments(data) in ((call[2], call[3]), (list(call[2]), call[3]))
        assert read_meta(packer.dumps({"clock": {"event": "x"}})) == {"clock": {"event": "x"}}


def test_a_task_is_read_whatever_its_arguments_are() -> None:
    call = pickle.dumps(("tasks.x", None, (datetime(2026, 1, 1), "x" * 5 * LARGEST), {}))  # noqa: DTZ001
    assert read_task(zlib.compress(call)) == "tasks.x"
    assert read_arguments(zlib.compress(call)) is None


def _inside_itself() -> list[Any]:
    nested: list[Any] = []
    nested.append(nested)
    return nested


def _nested(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _met_often() -> list[Any]:
    nested: list[Any] = ["x"]
    for _ in range(9):
        nested = [nested] * 10
    return nested


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04]r\xff\xff\xff\x03.",
        b"\x80\x04\x96\x00\x00\x00\x00\x01\x00\x00\x00.",
        pickle.dumps(datetime.now),
        pickle.dumps(_inside_itself()),
        pickle.dumps(_nested(DEEPEST + 1)),
        pickle.dumps(_met_often()),
        pickle.dumps(["x" * 10_000] * 1000),
        pickle.dumps(list(range(MOST + 1))),
        pickle.dumps(1 << 100_000),
        pickle.dumps("\ud800"),
        pickle.dumps("x" * LARGEST),
        b"\x80\x04" + b"\x8f" * 500_000 + b".",
        b"[" * 500_000,
        b'"\\ud800"',
        json.dumps(_nested(DEEPEST + 1)).encode(),
        b"9" * 5000,
        b"\xff",
        b"",
    ],
    ids=[str(number) for number in range(18)],
)
def test_a_payload_beyond_the_limits_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"plain|larger"):
        read_plain(data)


def test_inflating_stops_at_the_limit() -> None:
    data = zlib.compress(bytes(1000))
    assert inflate(data, 999) == (bytes(999), True)
    assert inflate(data, 1000) == (bytes(1000), False)
    assert inflate(data, 2000) == (bytes(1000), False)
    assert inflate(b"plain", 3) == (b"pla", True)


@pytest.mark.parametrize(
    ("length", "begin", "end", "left_out"),
    [(0, 0, 0, 0), (1000, 1000, 0, 0), (1001, 500, 500, 1), (5000, 500, 500, 4000)],
)
def test_of_long_data_both_ends_are_kept(length: int, begin: int, end: int, left_out: int) -> None:
    data = random.Random(7).randbytes(length)
    expected = data[:begin], data[length - end :], left_out
    assert inflate_ends(zlib.compress(data), 1000) == expected


def test_the_search_for_an_end_stops() -> None:
    data = zlib.compress(bytes(SEARCHED * 3))
    begin, end, left_out = inflate_ends(data, 1000)
    assert len(begin) + len(end) == 1000
    assert left_out < SEARCHED + 1000


def test_damaged_data_is_read_as_far_as_it_goes() -> None:
    data = zlib.compress(random.Random(7).randbytes(5000))
    assert inflate_ends(b"plain", 3) == (b"pla", b"", 0)
    begin, end, _ = inflate_ends(data[:2000], 1000)
    assert (len(begin), len(end)) == (500, 500)
