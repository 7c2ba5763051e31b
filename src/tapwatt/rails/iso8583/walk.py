"""The slow, exact codec: walks a message field by field and names what is wrong.

It is the definition of the format. The compiled functions (`compiled`) are a faster way to the same answer
and hand anything they do not like to this file, so that every error comes from here: field, position and
reason, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from tapwatt.rails.iso8583.field import ENCODINGS, PATTERNS, BitmapEncoding, ContentClass, Encoding, FieldSpec
from tapwatt.rails.iso8583.layout import Layout

Value = str | bytes


class UnableToDecode(ValueError):
    """These bytes are not a message of the dialect. `field` is None for message type, bitmap and trailing
    bytes.
    """

    def __init__(self, reason: str, *, field: int | None = None, position: int = 0) -> None:
        where = "message" if field is None else f"field {field}"
        super().__init__(f"{where} at byte {position}: {reason}")
        self.field, self.position, self.reason = field, position, reason


class UnableToEncode(ValueError):
    """This message cannot be written in the dialect. `field` is None for message type and bitmap."""

    def __init__(self, reason: str, *, field: int | None = None) -> None:
        where = "message" if field is None else f"field {field}"
        super().__init__(f"{where}: {reason}")
        self.field, self.reason = field, reason


def decode_header(layout: Layout, data: bytes) -> tuple[str, int, int]:
    """Message type, bitmap (field n is bit 128 - n) and the position where the fields begin."""
    mti = _take(data, 0, 4, layout.mti_encoding, None)
    if mti not in layout.mtis:
        raise UnableToDecode("the message type is not in the dialect")
    position = ENCODINGS[layout.mti_encoding].size(4)
    bitmap, position = _half(layout, data, position)
    if bitmap >> 63:
        secondary, position = _half(layout, data, position)
        return mti, (bitmap << 64) | secondary, position
    return mti, bitmap << 64, position


def decode_fields(layout: Layout, data: bytes, bitmap: int, position: int) -> dict[int, Value]:
    """Every field that the bitmap announces, and nothing after the last one."""
    fields: dict[int, Value] = {}
    for number in numbers_of(bitmap):
        spec = layout.fields.get(number)
        if spec is None:
            raise UnableToDecode("the dialect has no such field", field=number, position=position)
        fields[number], position = _decode_field(layout, spec, data, position)
    if position != len(data):
        raise UnableToDecode(f"{len(data) - position} bytes after the last field", position=position)
    return fields


def encode_message(layout: Layout, mti: str, fields: Mapping[int, Value]) -> bytes:
    """The bytes of a message; UnableToEncode names the first field that does not fit."""
    if mti not in layout.mtis:
        raise UnableToEncode("the message type is not in the dialect")
    parts = [ENCODINGS[layout.mti_encoding].write(mti), b""]
    bitmap = 0
    for number in sorted(fields):
        spec = layout.fields.get(number)
        if spec is None:
            raise UnableToEncode("the dialect has no such field", field=number)
        bitmap |= 1 << (128 - number)
        parts.append(_encode_field(layout, spec, fields[number]))
    parts[1] = bitmap_bytes(layout, bitmap)
    return b"".join(parts)


def bitmap_bytes(layout: Layout, bitmap: int) -> bytes:
    """The bitmap on the wire; field 1 announces the second half where there is one."""
    if bitmap & (1 << 64) - 1:
        raw = (bitmap | 1 << 127).to_bytes(16, "big")
    else:
        raw = (bitmap >> 64).to_bytes(8, "big")
    return raw if layout.bitmap_encoding is BitmapEncoding.BINARY else raw.hex().upper().encode("ascii")


def numbers_of(bitmap: int) -> list[int]:
    """The field numbers a bitmap announces, in order; field 1 is the second half and no field."""
    return [number for number in range(2, 129) if bitmap >> (128 - number) & 1]


def _half(layout: Layout, data: bytes, position: int) -> tuple[int, int]:
    size = 8 if layout.bitmap_encoding is BitmapEncoding.BINARY else 16
    raw = data[position : position + size]
    if len(raw) < size:
        raise UnableToDecode("the bitmap is cut off", position=position)
    if layout.bitmap_encoding is BitmapEncoding.BINARY:
        return int.from_bytes(raw, "big"), position + size
    if any(character not in b"0123456789ABCDEFabcdef" for character in raw):
        raise UnableToDecode("the bitmap is not hex", position=position)
    return int(raw, 16), position + size


def _decode_field(layout: Layout, spec: FieldSpec, data: bytes, position: int) -> tuple[Value, int]:
    length = spec.length
    if not spec.fixed:
        prefix = _take(data, position, spec.prefix_digits, layout.prefix_encoding, spec.number, what="length")
        length = int(prefix)
        if length > spec.length:
            reason = f"length {length} is over the limit of {spec.length}"
            raise UnableToDecode(reason, field=spec.number, position=position)
        position += ENCODINGS[layout.prefix_encoding].size(spec.prefix_digits)
    size = length if spec.binary else ENCODINGS[spec.encoding].size(length)
    if spec.binary:
        return _slice(data, position, size, spec.number, "value"), position + size
    value = _take(data, position, length, spec.encoding, spec.number, spec=spec)
    return value, position + size


def _take(
    data: bytes,
    position: int,
    length: int,
    encoding: Encoding,
    field: int | None,
    *,
    spec: FieldSpec | None = None,
    what: str = "value",
) -> str:
    """Characters of one class at a position; digits unless a field's row says otherwise."""
    rules = ENCODINGS[encoding]
    raw = _slice(data, position, rules.size(length), field, what)
    content = ContentClass.N if spec is None else spec.content
    reason = f"the {what} is not of class {content}"
    try:
        text = rules.read(raw, length) if raw else ""
    except ValueError:
        raise UnableToDecode(reason, field=field, position=position) from None
    if not PATTERNS[content].fullmatch(text):
        raise UnableToDecode(reason, field=field, position=position)
    return text


def _slice(data: bytes, position: int, size: int, field: int | None, what: str) -> bytes:
    raw = data[position : position + size]
    if len(raw) < size:
        reason = f"the {what} is cut off, {len(raw)} of {size} bytes are here"
        raise UnableToDecode(reason, field=field, position=position)
    return raw


def _encode_field(layout: Layout, spec: FieldSpec, value: Value) -> bytes:
    if not isinstance(value, bytes if spec.binary else str):
        raise UnableToEncode("must be bytes" if spec.binary else "must be text", field=spec.number)
    length = len(value)
    if length != spec.length if spec.fixed else length > spec.length:
        bound = f"{spec.length}" if spec.fixed else f"at most {spec.length}"
        raise UnableToEncode(f"length is {length}, not {bound}", field=spec.number)
    prefix = b""
    if not spec.fixed:
        prefix = ENCODINGS[layout.prefix_encoding].write(str(length).zfill(spec.prefix_digits))
    if isinstance(value, bytes):
        return prefix + value
    if not PATTERNS[spec.content].fullmatch(value):
        raise UnableToEncode(f"is not of class {spec.content}", field=spec.number)
    return prefix + ENCODINGS[spec.encoding].write(value)
