"""The codec: golden vectors both ways, exact errors, and the fast path against the slow one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rails.samples import PAN, any_message, hold

from tapwatt.rails.codec import FrameDecoder, encode_frame
from tapwatt.rails.iso8583 import (
    Message,
    MissingField,
    UnableToDecode,
    UnableToEncode,
    UnableToLoadSpec,
    describe,
    load_spec,
)
from tapwatt.rails.iso8583.compiled import CACHE_LIMIT
from tapwatt.rails.iso8583.spec import Spec, make_spec, spec_names
from tapwatt.rails.iso8583.walk import decode_fields, decode_header, encode_message

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "iso8583").glob("*/*.json"))
ASCII = load_spec("1987-ascii")


def read_vector(path: Path) -> tuple[Spec, Message, bytes]:
    data = json.loads(path.read_text())
    fields: dict[int, str | bytes] = {int(number): value for number, value in data["fields"].items()}
    fields |= {int(number): bytes.fromhex(value) for number, value in data["binary"].items()}
    return load_spec(path.parent.name), Message(data["mti"], fields), bytes.fromhex(data["hex"])


def test_there_is_a_vector_for_every_message_type_we_use() -> None:
    used = "0100 0110 0120 0130 0220 0221 0230 0400 0401 0410 0420 0421 0430 0800 0810"
    assert {path.name[:4] for path in VECTORS} >= set(used.split())


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_vector_both_ways(path: Path) -> None:
    spec, message, data = read_vector(path)
    for _ in range(2):  # first by the walk, then compiled
        assert spec.encode(message) == data
        assert spec.decode(data) == message


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_vector_cut_short_or_with_trailing_bytes_is_refused(path: Path) -> None:
    spec, _, data = read_vector(path)
    for length in range(len(data)):
        with pytest.raises(UnableToDecode):
            spec.decode(data[:length])
    with pytest.raises(UnableToDecode, match="1 bytes after the last field"):
        spec.decode(data + b"0")


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_vector_framed_arrives_whole_and_byte_by_byte(path: Path) -> None:
    _, _, data = read_vector(path)
    frame = encode_frame(data)
    assert FrameDecoder().feed(frame) == [data]
    decoder = FrameDecoder()
    assert [found for byte in frame for found in decoder.feed(bytes((byte,)))] == [data]


@pytest.mark.parametrize("name", spec_names())
@given(data=st.data())
def test_every_message_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    spec = load_spec(name)
    message = data.draw(any_message(spec))
    for _ in range(2):
        assert spec.decode(spec.encode(message)) == message


@pytest.mark.parametrize("name", spec_names())
@given(data=st.data())
def test_compiled_and_walked_are_the_same(name: str, data: st.DataObject) -> None:
    spec = load_spec(name)
    message = data.draw(any_message(spec))
    spec.encode(message)  # compiles
    walked = encode_message(spec.layout, message.mti, message.fields)
    assert spec.encode(message) == walked
    spec.decode(walked)
    damaged = bytearray(walked)
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] = data.draw(st.integers(0, 255))
    assert outcome_of(spec, bytes(damaged)) == walked_outcome(spec, bytes(damaged))


def outcome_of(spec: Spec, data: bytes) -> object:
    try:
        return spec.decode(data)
    except UnableToDecode as error:
        return str(error)


def walked_outcome(spec: Spec, data: bytes) -> object:
    try:
        mti, bitmap, start = decode_header(spec.layout, data)
        return Message(mti, decode_fields(spec.layout, data, bitmap, start))
    except UnableToDecode as error:
        return str(error)


@pytest.mark.parametrize("name", spec_names())
@given(data=st.binary(max_size=300))
def test_garbage_raises_only_our_error(name: str, data: bytes) -> None:
    with pytest.raises(UnableToDecode):
        load_spec(name).decode(b"\xff" + data)
    for start in (b"0100", b"0800", b"\x01\x00"):
        outcome_of(load_spec(name), start + data)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({4: "5000"}, 4, "length is 4, not 12"),
        ({4: "00000000500٠"}, 4, "is not of class n"),  # an Arabic zero is a digit to str.isdigit
        ({4: "0000000050²0"}, 4, "is not of class n"),
        ({4: b"000000005000"}, 4, "must be text"),
        ({55: "9F26"}, 55, "must be bytes"),
        ({2: "4" * 20}, 2, "length is 20, not at most 19"),
        ({41: "5252353é"}, 41, "is not of class ans"),
        ({28: "X00000000"}, 28, "is not of class xn"),
        ({1: "1"}, 1, "the dialect has no such field"),
        ({129: "1"}, 129, "the dialect has no such field"),
        ({4: 5000}, 4, "must be text"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[int, str | bytes], field: int, reason: str) -> None:
    good = hold(chip_data=b"\x9c\x01\x00").replace({28: "C00000000"})
    ASCII.encode(good)
    for _ in range(2):
        with pytest.raises(UnableToEncode) as caught:
            ASCII.encode(good.replace(changes))
        assert (caught.value.field, caught.value.reason) == (field, reason)


def test_decoding_names_field_position_and_reason() -> None:
    data = ASCII.encode(hold())
    broken = data.replace(b"000000005000", b"00000000500X")
    with pytest.raises(UnableToDecode) as caught:
        ASCII.decode(broken)
    assert (caught.value.field, caught.value.position) == (4, 36)
    assert str(caught.value) == "field 4 at byte 36: the value is not of class n"


def test_digits_of_other_alphabets_are_refused() -> None:
    data = ASCII.encode(hold()).replace(b"000000005000", b"0000000050\xb20")  # superscript two in latin-1
    with pytest.raises(UnableToDecode, match="field 4"):
        ASCII.decode(data)


def test_a_length_over_the_maximum_is_refused() -> None:
    data = ASCII.encode(Message("0100", {2: PAN}))
    with pytest.raises(UnableToDecode, match="length 20 is over the limit of 19"):
        ASCII.decode(data.replace(b"16" + PAN.encode(), b"20" + PAN.encode() + b"1111"))


def test_the_bitmap_may_be_hex() -> None:
    layout = load_spec("1987-ascii").layout
    rows = {
        str(number): {"name": row.name, "class": str(row.content)}
        | ({"length": row.length} if row.fixed else {"prefix": "L" * row.prefix_digits, "max": row.length})
        for number, row in layout.fields.items()
    }
    encoding = {"mti": "ascii", "bitmap": "hex", "prefix": "ascii", "numeric": "ascii"}
    spec = make_spec({"name": "hex", "title": "", "encoding": encoding, "mti": layout.mtis, "fields": rows})
    message = Message("0800", {7: "1122091100", 11: "000001", 70: "001"})
    for _ in range(2):
        data = spec.encode(message)
        assert data == b"0800" + b"82200000000000000400000000000000" + b"1122091100000001001"
        assert spec.decode(data) == message


def test_the_cache_of_compiled_functions_is_bounded() -> None:
    spec = Spec(load_spec("1987-ascii").layout)
    private = [number for number in range(100, 128) if number in spec.layout.fields]
    for number in range(CACHE_LIMIT + 50):
        chosen = [field for place, field in enumerate(private) if (number + 1) >> place & 1]
        message = Message("0100", {field: "" for field in chosen if not spec.layout.fields[field].fixed})
        assert spec.decode(spec.encode(message)) == message
    assert len(spec._decoders) <= CACHE_LIMIT
    assert len(spec._encoders) <= CACHE_LIMIT


def test_garbage_compiles_nothing() -> None:
    spec = Spec(load_spec("1987-ascii").layout)
    for number in range(100):
        outcome_of(spec, b"0100" + number.to_bytes(8, "big") + b"x")
    assert not spec._decoders


def test_private_fields_have_names_in_the_data() -> None:
    names = {number: ASCII.field_name(number) for number in (48, 60, 61, 62, 63)}
    assert names == {
        48: "additional_data",
        60: "terminal_serial",
        61: "payment_reference",
        62: "life_cycle",
        63: "scheme_transaction",
    }
    assert all(ASCII.number(name) == number for number, name in names.items())


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(UnableToLoadSpec, match=r"there is no dialect '1999-morse'; there are 1987-ascii"):
        load_spec("1999-morse")


@pytest.mark.parametrize(
    "broken", [{"class": "nn"}, {"length": 0}, {"name": None, "prefix": "LLLLL", "max": 3}]
)
def test_a_dialect_that_makes_no_sense_is_refused(broken: dict[str, object]) -> None:
    row = {"name": "amount", "class": "n", "length": 12} | broken
    encoding = {"mti": "ascii", "bitmap": "binary", "prefix": "ascii", "numeric": "ascii"}
    with pytest.raises(UnableToLoadSpec, match="dialect odd"):
        make_spec({"name": "odd", "title": "", "encoding": encoding, "mti": {}, "fields": {"4": row}})


class TestMessage:
    def test_is_frozen_and_a_value(self) -> None:
        fields: dict[int, str | bytes] = {11: "000001"}
        message = Message("0800", fields)
        fields[11] = "000002"
        assert message == Message("0800", {11: "000001"})
        assert hash(message) == hash(Message("0800", {11: "000001"}))
        with pytest.raises(TypeError):
            message.fields[11] = "000003"  # type: ignore[index]

    def test_replace_changes_and_takes_out(self) -> None:
        message = Message("0100", {4: "000000000001", 52: b"12345678"})
        assert message.replace({4: "000000000002", 52: None}, mti="0220") == Message(
            "0220", {4: "000000000002"}
        )
        assert message.without(52, 90).fields == {4: "000000000001"}
        assert message.only(4, 90).fields == {4: "000000000001"}

    def test_text_and_data_name_the_missing_field(self) -> None:
        message = Message("0100", {4: "000000000001", 55: b"1"})
        assert (message.text(4), message.data(55), message.get(90), 4 in message) == (
            "000000000001",
            b"1",
            None,
            True,
        )
        for read in (lambda: message.text(39), lambda: message.text(55), lambda: message.data(4)):
            with pytest.raises(MissingField, match=r"field (39|55|4) is missing"):
                read()


SENSITIVE = {2: PAN, 34: PAN, 35: f"{PAN}=3112", 36: f"{PAN}=3112", 45: f"B{PAN}^A/B^3112", 48: f"x {PAN} y"}


def test_no_view_of_a_message_shows_a_card_number() -> None:
    chip = bytes.fromhex(f"5A08{PAN}5710{PAN}D31120000000000F9C0100")
    message = hold(chip_data=chip).replace({**SENSITIVE, 52: b"\x12" * 8, 53: "1" * 16})
    for shown in (repr(message), str(message), f"{message}", str(describe(message)), str([message])):
        assert PAN not in shown
        assert "12121212" not in shown
    assert "411111******1111" in repr(message)
    assert describe(message, name=ASCII.field_name)["55 chip_data"] == "9c0100"


@pytest.mark.parametrize(
    ("pan", "shown"), [("4111111111111112", "411111******1112"), ("41111111111", "*" * 11)]
)
def test_a_card_number_is_masked_by_its_field_even_when_it_is_not_a_good_one(pan: str, shown: str) -> None:
    assert repr(Message("0100", {2: pan})) == f"Message(0100 {{2: {shown}}})"


def unable_to_encode(message: Message) -> str:
    try:
        return ASCII.encode(message).hex()
    except UnableToEncode as error:
        return str(error)


@given(data=st.data())
def test_no_error_text_holds_a_value(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(sorted(ASCII.layout.fields)))
    value = data.draw(st.sampled_from([PAN, PAN + "é", PAN * 9]))
    assert PAN not in unable_to_encode(Message("0100", {number: value}))
    whole = bytearray(ASCII.encode(hold()))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert PAN not in str(outcome_of(ASCII, bytes(whole)))
