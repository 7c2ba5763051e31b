"""The serial line without a port: the ten public frames, damage in both directions, repeats and their end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.terminals.zvt.frames import frame
from tapwatt.terminals.zvt.serial import SerialLine, SerialTimings, block, checksum

ACK, NAK = b"\x06", b"\x15"
READY = bytes.fromhex("050100")
HOLD = bytes.fromhex("06220704000000002500")
POSITIVE = bytes.fromhex("800000")
WAIT = bytes.fromhex("04ff0117")
ROWS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "zvt" / "serial" / "frames.json").read_text("utf-8")
)
VECTORS = [(row["wire"], row["message"]) for row in ROWS]


def taken(line: SerialLine, data: bytes, now_ms: int = 0) -> tuple[bytes, bytes]:
    """What a line makes of bytes: the messages, and what it answers at once."""
    return line.receive(data, now_ms), line.data_to_send()


def sent(line: SerialLine, message: bytes, now_ms: int = 0) -> bytes:
    line.send(message, now_ms)
    return line.data_to_send()


def test_all_ten_public_frames_are_here() -> None:
    assert len(set(VECTORS)) == 10


@pytest.mark.parametrize(("wire", "message"), VECTORS)
def test_vectors_both_ways(wire: str, message: str) -> None:
    assert block(bytes.fromhex(message)).hex() == wire
    assert taken(SerialLine(), bytes.fromhex(wire)) == (bytes.fromhex(message), ACK)
    assert checksum(bytes.fromhex(message)).hex() == wire[-4:]


@pytest.mark.parametrize(("wire", "message"), VECTORS)
def test_byte_by_byte_with_garbage_in_front(wire: str, message: str) -> None:
    line = SerialLine()
    noise = bytes.fromhex("00ff7f1003100015060a10")
    got = b"".join(line.receive(bytes([byte]), 0) for byte in noise + bytes.fromhex(wire))
    assert (got, line.data_to_send()) == (bytes.fromhex(message), ACK)


@given(data=st.binary(max_size=600), cuts=st.integers(1, 40))
def test_any_message_survives_the_wire(data: bytes, cuts: int) -> None:
    message = frame(0x06E0, data)
    wire, line = block(message), SerialLine()
    got = b"".join(line.receive(wire[at : at + cuts], 0) for at in range(0, len(wire), cuts))
    assert (got, line.data_to_send()) == (message, ACK)


@pytest.mark.parametrize("length", [254, 255, 256, 4096])
def test_long_messages_and_a_length_of_stuffed_bytes(length: int) -> None:
    message = frame(0x06E0, b"\x10" * length)
    assert len(block(message)) >= 2 * length
    assert taken(SerialLine(), block(message)) == (message, ACK)


def test_one_that_is_too_long_is_refused_and_the_next_one_read() -> None:
    line = SerialLine(limit=100)
    assert taken(line, block(frame(0x06E0, b"x" * 200))) == (b"", b"")
    line.tick(200)
    assert line.data_to_send() == NAK
    assert taken(line, block(READY), 300) == (READY, ACK)


@given(at=st.integers(2, 8), bit=st.integers(0, 7))
def test_a_damaged_bit_is_never_a_message(at: int, bit: int) -> None:
    wire = bytearray(block(POSITIVE))
    wire[at] ^= 1 << bit
    line = SerialLine()
    got = line.receive(bytes(wire), 0)
    line.tick(1_000)
    assert (got, line.data_to_send()) == (b"", NAK)


def test_bad_checksum_is_refused_and_the_repeat_taken() -> None:
    line = SerialLine()
    assert taken(line, block(WAIT)[:-1] + b"\x00") == (b"", NAK)
    assert taken(line, block(WAIT)) == (WAIT, ACK)


def test_a_block_that_stops_is_refused_after_t1() -> None:
    line = SerialLine()
    assert taken(line, block(WAIT)[:-3], 1_000) == (b"", b"")
    assert line.due_ms == 1_200
    line.tick(1_199)
    assert line.data_to_send() == b""
    line.tick(1_200)
    assert line.data_to_send() == NAK
    assert line.due_ms is None


def test_a_block_begun_anew_counts() -> None:
    assert taken(SerialLine(), block(WAIT)[:6] + block(WAIT)) == (WAIT, ACK)


def test_refused_three_times_then_given_up() -> None:
    line = SerialLine()
    assert sent(line, HOLD) == block(HOLD)
    for _ in range(3):
        assert taken(line, NAK) == (b"", block(HOLD))
    assert taken(line, NAK) == (b"", b"")
    assert "refuses" in line.fault
    assert line.due_ms is None


def test_silence_repeats_three_times_then_gives_up() -> None:
    line = SerialLine(timings=SerialTimings(acknowledgement_ms=1_000))
    assert sent(line, READY) == block(READY)
    for second in (1, 2, 3):
        line.tick(second * 1_000 - 1)
        assert line.data_to_send() == b""
        line.tick(second * 1_000)
        assert line.data_to_send() == block(READY)
    line.tick(4_000)
    assert line.data_to_send() == b""
    assert "does not acknowledge" in line.fault


def test_a_command_about_money_is_never_repeated_into_silence() -> None:
    line = SerialLine()
    sent(line, HOLD)
    line.tick(5_000)
    assert line.data_to_send() == b""
    assert "money" in line.fault


def test_one_block_at_a_time() -> None:
    line = SerialLine()
    assert sent(line, POSITIVE + READY) == block(POSITIVE)
    assert sent(line, WAIT) == b""
    assert taken(line, ACK) == (b"", block(READY))
    assert taken(line, ACK) == (b"", block(WAIT))
    assert taken(line, ACK + ACK + NAK) == (b"", b"")


def test_a_late_acknowledgement_changes_nothing() -> None:
    line = SerialLine()
    sent(line, READY)
    line.tick(5_000)
    assert line.data_to_send() == block(READY)
    assert taken(line, ACK + ACK, 5_100) == (b"", b"")
    assert sent(line, WAIT) == block(WAIT)


def test_an_answer_or_an_empty_block_stands_for_the_acknowledgement() -> None:
    line = SerialLine()
    sent(line, HOLD)
    assert taken(line, block(POSITIVE)) == (POSITIVE, ACK)
    assert line.due_ms is None
    sent(line, HOLD)
    assert taken(line, block(b"")) == (b"", ACK)
    assert line.due_ms is None


def test_an_abort_that_crosses_a_status_still_wants_its_acknowledgement() -> None:
    line, abort = SerialLine(), bytes.fromhex("06b000")
    sent(line, abort)
    assert taken(line, block(WAIT)) == (WAIT, ACK)
    assert taken(line, NAK) == (b"", block(abort))


def test_a_block_repeated_because_our_ack_was_lost_is_taken_once() -> None:
    line = SerialLine()
    assert taken(line, block(WAIT)) == (WAIT, ACK)
    assert taken(line, block(WAIT)) == (b"", ACK)
    sent(line, POSITIVE)
    assert taken(line, block(WAIT)) == (b"", ACK)
    assert taken(line, ACK) == (b"", b"")
    assert taken(line, block(WAIT)) == (WAIT, ACK), "the same words once more, after our answer"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("8000", "800000"),
        ("061e0eb8061123090802012308024567", "061e0db8061123090802012308024567"),
        ("061e02b887ffff", "061e04b887ffff"),
    ],
)
def test_a_wrong_length_byte_is_set_right_by_the_checksum(wrong: str, right: str) -> None:
    assert taken(SerialLine(), block(bytes.fromhex(wrong))) == (bytes.fromhex(right), ACK)


@given(noise=st.binary(max_size=200))
def test_garbage_never_raises_and_the_next_block_is_read(noise: bytes) -> None:
    line = SerialLine()
    line.receive(noise, 0)
    line.tick(10_000)
    line.data_to_send()
    got = line.receive(block(READY), 20_000)
    assert got.endswith(READY)


def test_too_much_to_say_ends_the_line() -> None:
    line = SerialLine()
    line.send(POSITIVE * 100, 0)
    assert "wait" in line.fault
