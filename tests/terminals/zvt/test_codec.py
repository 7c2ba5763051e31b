"""The ZVT codec: properties over generated messages, lenient reading, strict writing, secrets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwatt.terminals.zvt.codec import decode, describe, encode
from tapwatt.terminals.zvt.fields import BMPS, HEADS, TLVS, Counted, FieldSpec, Kind
from tapwatt.terminals.zvt.frames import FrameFault, FrameTooLarge, NotZvt, Reassembler, frame
from tapwatt.terminals.zvt.messages import Command, Field, Given, Message, compose, negative
from tapwatt.terminals.zvt.values import CURRENCIES, UnableToEncode

CP437 = st.text(alphabet=st.characters(codec="cp437", exclude_characters="\x06"), max_size=40)
HEX = st.binary(min_size=1, max_size=20).map(lambda data: data.hex().upper())
PAN = "541333******9604"


def digits(size: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=2 * size, max_size=2 * size)


def text_of(spec: FieldSpec) -> st.SearchStrategy[str]:
    if not spec.pad:
        return CP437
    return st.text("ABC019", max_size=spec.length)


def value_of(spec: FieldSpec) -> st.SearchStrategy[int | str]:
    made: dict[Kind, st.SearchStrategy[int | str]] = {
        Kind.BYTE: st.integers(0, 255),
        Kind.STATE: st.sampled_from([0x00, 0x51, 0x9C, 0xF0]),
        Kind.NUMBER: st.integers(0, 10**12 - 1),
        Kind.DIGITS: digits(spec.length or 4),
        Kind.CURRENCY: st.sampled_from(sorted(CURRENCIES)),
        Kind.PAN: st.sampled_from([PAN, "************8074", "374245*****0126"]),
        Kind.TEXT: text_of(spec),
        Kind.HEX: HEX if spec.length is None else st.just("AB" * spec.length),
    }
    return made[spec.kind]


def field_of(spec: FieldSpec) -> st.SearchStrategy[Field]:
    return value_of(spec).map(lambda value: Field(name=spec.name, value=value))


LEAVES = [field_of(spec) for spec in TLVS.values() if spec.kind not in (Kind.GROUP, Kind.SECRET)]
GROUPS = [spec.name for spec in TLVS.values() if spec.kind is Kind.GROUP]
UNKNOWN = st.tuples(st.sampled_from(["tlv_C7", "tlv_1F71", "tlv_1F8007"]), HEX).map(
    lambda pair: Field(name=pair[0], value=pair[1])
)
TLV_FIELDS = st.recursive(
    st.one_of(*LEAVES, UNKNOWN),
    lambda inner: st.builds(
        lambda name, fields: Field(name=name, value=tuple(fields)),
        st.sampled_from(GROUPS),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)
CONTAINER = st.lists(TLV_FIELDS, max_size=4).map(lambda fields: Field(name="tlv", value=tuple(fields)))
BMP_FIELDS = st.one_of(
    *(field_of(spec) for spec in BMPS.values() if spec.kind not in (Kind.GROUP, Kind.SECRET)), CONTAINER
)
PLAIN = [Command.STATUS_INFORMATION, Command.PREAUTHORISATION, Command.PARTIAL_REVERSAL, Command.DISPLAY_TEXT]


@st.composite
def messages(draw: st.DrawFn) -> Message:
    control = draw(st.sampled_from([*PLAIN, Command.ABORTED, Command.READ_CARD, Command.REGISTRATION]))
    head = HEADS.get(control, ((),))[0]
    fields = [draw(field_of(spec)) for spec in head if spec.counted is Counted.FIXED]
    return Message(control=control, fields=(*fields, *draw(st.lists(BMP_FIELDS, max_size=6))))


@given(messages())
@settings(deadline=None)
def test_what_is_written_is_read_again(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_garbage_raises_only_our_own_error(data: bytes) -> None:
    try:
        message = decode(data)
    except FrameFault:
        return
    describe(message)
    repr(message)


@given(st.sampled_from(sorted(Command)), st.binary(max_size=300))
@settings(deadline=None)
def test_any_body_of_a_known_command_is_read(control: int, body: bytes) -> None:
    message = decode(frame(control, body))
    describe(message)
    if not message.rest and not message.faults and control != Command.NEGATIVE:
        try:
            again = encode(message)
        except UnableToEncode:
            return  # a nibble that is no digit, or a secret: read, never written
        assert decode(again) == message


@given(st.lists(messages(), max_size=4), st.data())
@settings(max_examples=60, deadline=None)
def test_any_split_of_a_stream_gives_the_same_messages(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    reassembler = Reassembler()
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    heard = [decode(whole) for piece in pieces for whole in reassembler.feed(piece)]
    assert heard == sent


@pytest.mark.parametrize("size", [0, 1, 127, 128, 254, 255, 256, 257, 4096])
def test_lengths_around_the_borders(size: int) -> None:
    whole = frame(0x0611, bytes(size))
    assert whole[2:5] == (bytes([0xFF, size & 0xFF, size >> 8]) if size >= 255 else whole[2:5])
    assert Reassembler().feed(whole) == [whole]
    assert decode(whole).rest == bytes(size)


@pytest.mark.parametrize("size", [126, 127, 128, 129, 255, 256, 300])
def test_tlv_lengths_around_the_borders(size: int) -> None:
    message = compose(Command.STATUS_INFORMATION, tlv={"label": "x" * size})
    assert decode(encode(message)) == message


def test_long_form_for_a_short_frame_is_read() -> None:
    assert decode(bytes.fromhex("060fff0000")) == Message(control=Command.COMPLETION)


def test_oversized_frame_fails_at_its_header() -> None:
    reassembler = Reassembler(limit=100)
    assert reassembler.feed(bytes.fromhex("060f00040f65")) == [bytes.fromhex("060f00")]
    assert isinstance(reassembler.fault, FrameTooLarge)
    assert reassembler.feed(bytes.fromhex("060f00")) == []


def test_a_stream_that_is_not_zvt_fails_at_its_first_byte() -> None:
    reassembler = Reassembler()
    assert reassembler.feed(b"G") == []
    assert isinstance(reassembler.fault, NotZvt)


def test_unknown_bmp_keeps_what_came_before_and_the_rest() -> None:
    message = decode(bytes.fromhex("040f0a" + "2700" + "870231" + "ee01020304"))
    assert message.text("receipt") == "0231"
    assert message.rest == bytes.fromhex("ee01020304")
    with pytest.raises(UnableToEncode):
        encode(message)


def test_unknown_command_is_kept_whole() -> None:
    message = decode(bytes.fromhex("06ee020102"))
    assert (message.name, message.rest) == ("06EE", b"\x01\x02")


def test_a_cut_value_is_torn_but_the_values_before_it_stand() -> None:
    message = decode(bytes.fromhex("040f07" + "870231" + "0401"))
    assert message.text("receipt") == "0231"
    assert message.torn


def test_card_number_in_clear_is_masked_on_arrival() -> None:
    message = decode(bytes.fromhex("040f0b22f0f8" + "5413330089604111"))
    assert message.text("masked_pan") == "541333******4111"
    assert "0089604" not in repr(message)


@pytest.mark.parametrize("masked", ["559883******8074", "************8074", "374245*****0126"])
def test_masked_digits_are_nibble_e_and_never_expanded(masked: str) -> None:
    data = encode(compose(Command.STATUS_INFORMATION, masked_pan=masked))
    assert data.hex().count("e") == masked.count("*")
    assert decode(data).text("masked_pan") == masked


def test_track_data_is_withheld() -> None:
    message = decode(bytes.fromhex("040f0c23f0f9" + "4111111111111111d2"))
    assert message.text("track_2") == "withheld, 9 bytes"
    assert "411111" not in repr(message) + str(describe(message))
    with pytest.raises(UnableToEncode):
        encode(message)


def test_secrets_stay_out_of_logs_and_screens() -> None:
    registration = compose(Command.REGISTRATION, password="123456", configuration=0xDE)
    assert "123456" not in repr(registration) + str(describe(registration))
    line = compose(Command.PRINT_LINE, attribute=0, text="Karte 4111 1111 1111 1111")
    assert "1111" not in repr(line) + str(describe(line))
    unknown = compose(Command.STATUS_INFORMATION, tlv={"tlv_C7": "4111111111111111"})
    assert "4111" not in repr(unknown) + str(describe(unknown))


@pytest.mark.parametrize(
    "values",
    [
        {"amount_minor": 10**12},
        {"amount_minor": -1},
        {"currency": "QQQ"},
        {"receipt": "12"},
        {"receipt": "12AB"},
        {"masked_pan": "4111111111111111"},
        {"masked_pan": ""},
        {"line_1": "x" * 100},
        {"line_1": "☂"},
        {"track_2": "00"},
        {"merchant_id": "x" * 16},
        {"token": "A1"},
        {"tlv": "A1"},
        {"tlv": {"token": "ABC"}},
        {"tlv": {"tlv_1F": "00"}},
        {"timeout_s": 256},
    ],
)
def test_what_does_not_fit_is_not_written(values: dict[str, Given]) -> None:
    with pytest.raises(UnableToEncode):
        encode(compose(Command.STATUS_INFORMATION, **values))


def test_a_refusal_needs_a_code() -> None:
    with pytest.raises(UnableToEncode):
        encode(negative(0))


def test_too_deep_groups_are_not_followed() -> None:
    body = b""
    for _ in range(20):
        body = bytes([0x60, len(body)]) + body
    message = decode(frame(Command.STATUS_INFORMATION, bytes([0x06, len(body)]) + body))
    describe(message)
    assert message.faults


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ("060f0100", {"state": 0}),
        ("060f01f0", {"state": 0xF0}),
        ("060f0177", {"state": 0x77}),
        ("060f00f0" + "06071f440452523535", {"state": 0xF0, "tlv": {"tid": "52523535"}}),
        ("060f00f0f0f3312e3200", {"software": "1.2", "state": 0}),
        ("061e036f0978", {"result_code": 0x6F, "wanted_currency": "EUR"}),
        ("050100", {}),
    ],
)
def test_untagged_heads_are_told_apart(data: str, fields: dict[str, object]) -> None:
    data = data[:4] + f"{len(data) // 2 - 3:02x}" + data[6:]
    message = decode(bytes.fromhex(data))
    assert describe(message) == fields
    assert encode(message).hex() == data
