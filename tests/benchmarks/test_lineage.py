"""What a primary did is known to its successors up to where they had come."""

from __future__ import annotations

import pytest

from benchmarks.faults.lineage import NOBODY, Lineage, Position, position, replication

NEVER = -1


@pytest.fixture
def lineage() -> Lineage:
    """One primary until byte 100, its replica until 300, then the first one again."""
    lineage = Lineage()
    _note(lineage, "a", NOBODY, NEVER)
    _note(lineage, "b", "a", 101, port=2)
    _note(lineage, "c", "b", 301)
    return lineage


@pytest.mark.parametrize(
    ("reign", "offset", "known"),
    [
        pytest.param("a", 99, True, id="its write was received"),
        pytest.param("a", 100, False, id="its write came after the last that was received"),
        pytest.param("a", 200, False, id="written when another was the primary already"),
        pytest.param("b", 299, True, id="received of the second"),
        pytest.param("b", 300, False, id="not received of the second"),
        pytest.param("c", 10_000, True, id="of the present primary"),
        pytest.param("d", 1, False, id="of one that never was a primary"),
    ],
)
def test_what_was_received_is_known(lineage: Lineage, reign: str, offset: int, known: bool) -> None:
    assert lineage.has(Position(reign, offset)) is known


@pytest.mark.parametrize("nobody", [NOBODY, "0"])
def test_a_primary_that_was_started_again_knows_all_it_did(lineage: Lineage, nobody: str) -> None:
    _note(lineage, "again", nobody, NEVER)
    assert lineage.has(Position("c", 10_000))
    assert not lineage.has(Position("b", 300))


def test_an_old_primary_that_returns_is_not_the_current_one(lineage: Lineage) -> None:
    _note(lineage, "a", NOBODY, NEVER, is_named=False)
    assert lineage.has(Position("c", 1))
    assert not lineage.has(Position("a", 200))


def test_the_fields_of_a_server_are_read() -> None:
    text = b"# Replication\r\nrole:master\r\nmaster_replid:abc\r\nslave0:ip=127.0.0.1,port=1\r\n"
    info = replication(text)
    assert (info["master_replid"], info["slave0"]) == ("abc", "ip=127.0.0.1,port=1")


def test_a_restarted_replica_succeeds_no_primary(lineage: Lineage) -> None:
    _note(lineage, "c", "b", 301, port=2, role="slave")
    _note(lineage, "c", NOBODY, NEVER, port=2, role="slave")
    assert lineage.has(Position("c", 1))
    assert lineage.has(Position("b", 299))


def test_a_replica_that_was_promoted_in_vain_changes_nothing(lineage: Lineage) -> None:
    _note(lineage, "vain", "c", 401, port=2, is_named=False)
    assert lineage.has(Position("c", 500))
    assert not lineage.has(Position("vain", 500))


def test_the_position_of_a_server_is_read_from_its_info() -> None:
    info = {"master_replid": "a", "master_repl_offset": "7"}
    assert position(info) == Position("a", 7)


def _note(
    lineage: Lineage,
    reign: str,
    before: str,
    second: int,
    *,
    port: int = 1,
    role: str = "master",
    is_named: bool = True,
) -> None:
    info = {
        "role": role,
        "master_replid": reign,
        "master_replid2": before,
        "second_repl_offset": second,
    }
    lineage.note(port, info, is_named=is_named)
