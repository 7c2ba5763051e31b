"""Golden frames Z1 to Z18, Z23 to Z26 and Z28: bytes to names and back, however the stream is cut."""

from __future__ import annotations

from typing import Any

import pytest
from tests.terminals.zvt import vectors

from tapwatt.terminals.zvt.codec import decode, encode
from tapwatt.terminals.zvt.frames import Reassembler
from tapwatt.terminals.zvt.messages import Command, Message
from tapwatt.terminals.zvt.values import UnableToEncode

GOLDEN = vectors.golden()
IDS = [row["id"] for row in GOLDEN]
by_id = pytest.mark.parametrize("row", GOLDEN, ids=IDS)


def expected(row: dict[str, Any]) -> Message:
    control = Command[row["command"].upper()]
    return Message(control=control, fields=vectors.fields(row["fields"]))


def test_all_tcp_vectors_are_there() -> None:
    numbers = {int("".join(filter(str.isdigit, name))) for name in IDS}
    assert numbers >= {*range(1, 19), 23, 24, 25, 26, 28}


@by_id
def test_bytes_become_names(row: dict[str, Any]) -> None:
    assert decode(bytes.fromhex(row["hex"])) == expected(row)


@by_id
def test_names_become_bytes(row: dict[str, Any]) -> None:
    assert encode(expected(row)).hex() == row["hex"]


@by_id
def test_byte_by_byte(row: dict[str, Any]) -> None:
    reassembler = Reassembler()
    frames = [frame for byte in bytes.fromhex(row["hex"]) for frame in reassembler.feed(bytes([byte]))]
    assert [decode(frame) for frame in frames] == [expected(row)]
    assert reassembler.partial == b""


@by_id
def test_with_trailing_bytes_and_a_twin(row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["hex"])
    reassembler = Reassembler()
    assert reassembler.feed(data + data + b"\x06\x0f") == [data, data]
    assert reassembler.partial == b"\x06\x0f"


@pytest.mark.parametrize("row", vectors.lenient(), ids=lambda row: row["id"])
def test_wrong_lengths_are_read_and_never_written(row: dict[str, Any]) -> None:
    message = decode(bytes.fromhex(row["hex"]))
    assert message.name == row["command"]
    assert message.texts("receipt") == tuple(row["receipts"])
    assert message.faults
    assert not message.torn
    with pytest.raises(UnableToEncode):
        encode(message)
    assert encode(vectors.plain(message)).hex() == "061e0db8060a23080802012308024567"
