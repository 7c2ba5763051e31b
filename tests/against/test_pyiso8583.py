"""pyiso8583, an independent codec, reads our bytes and we read its: identical bytes in both dialects."""

from __future__ import annotations

import copy
from typing import Any

import iso8583
import iso8583.specs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rails.samples import any_message

from tapwatt.rails.iso8583 import Message, Spec, load_spec
from tapwatt.rails.iso8583.field import BitmapEncoding, ContentClass, Encoding, FieldSpec


def their_spec(spec: Spec) -> dict[str, Any]:
    """Our dialect's rows in pyiso8583's words."""
    theirs: dict[str, Any] = copy.deepcopy(iso8583.specs.default)
    layout = spec.layout
    theirs["t"] = _row(Encoding.ASCII, layout.mti_encoding, 0, 4)
    binary = layout.bitmap_encoding is BitmapEncoding.BINARY
    for part in ("p", "1"):
        theirs[part] = {"data_enc": "b" if binary else "ascii", "len_enc": "ascii", "len_type": 0}
        theirs[part] |= {"max_len": 8 if binary else 16, "desc": part}
    for number in range(2, 129):
        if number in layout.fields:
            theirs[str(number)] = _field(layout.prefix_encoding, layout.fields[number])
    return theirs


def _field(prefix: Encoding, field: FieldSpec) -> dict[str, Any]:
    if field.binary:
        row = _row(prefix, Encoding.BCD, field.prefix_digits, field.length)
        return row | {"len_count": "bytes"}
    return _row(prefix, field.encoding, field.prefix_digits, field.length)


def _row(prefix: Encoding, encoding: Encoding, digits: int, length: int) -> dict[str, Any]:
    packed_length = (digits + 1) // 2 if prefix is Encoding.BCD else digits
    row: dict[str, Any] = {"len_enc": str(prefix), "len_type": packed_length, "max_len": length, "desc": ""}
    if encoding is Encoding.BCD:
        return row | {"data_enc": "b", "len_count": "nibbles", "left_pad": "0"}
    return row | {"data_enc": "ascii"}


def to_theirs(spec: Spec, message: Message) -> dict[str, str]:
    """Our message in pyiso8583's words: hex for what is binary, D for the track separator when packed."""
    shown = {"t": message.mti}
    for number, value in message.fields.items():
        if isinstance(value, bytes):
            shown[str(number)] = value.hex().upper()
        elif spec.layout.fields[number].content is ContentClass.Z and "bcd" in spec.name:
            shown[str(number)] = value.replace("=", "D")
        else:
            shown[str(number)] = value
    return shown


@pytest.mark.parametrize("name", ["1987-ascii", "1987-bcd"])
@given(data=st.data())
def test_both_write_the_same_bytes_and_read_each_others(name: str, data: st.DataObject) -> None:
    spec = load_spec(name)
    message = data.draw(any_message(spec))
    theirs, rows = to_theirs(spec, message), their_spec(spec)

    ours = spec.encode(message)
    their_bytes, _ = iso8583.encode(dict(theirs), rows)
    assert bytes(their_bytes) == ours

    decoded, _ = iso8583.decode(ours, rows)
    assert {key: value for key, value in decoded.items() if key in theirs} == theirs
    assert spec.decode(bytes(their_bytes)) == message
