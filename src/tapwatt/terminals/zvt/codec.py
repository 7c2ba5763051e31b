"""ZVT frames to messages and back: strict out, lenient in.

Reading never fails on the inside of a frame: unknown fields, wrong lengths and unreadable values are kept and
named in `faults`, because a terminal's answer about money must not be lost for a formal error in its texts.
Writing refuses whatever does not fit. terminals.md sections 4.2 and 4.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tapwatt.terminals.zvt.fields import (
    BMPS,
    BMPS_BY_NAME,
    ERROR_CODE,
    HEADS,
    TEXT_NAMES,
    TLVS,
    TLVS_BY_NAME,
    Counted,
    FieldSpec,
    Head,
    Kind,
)
from tapwatt.terminals.zvt.frames import CLASSES, NotZvt, frame, header
from tapwatt.terminals.zvt.messages import Command, Field, Message, Value, scrub
from tapwatt.terminals.zvt.values import UnableToEncode, UnableToReadValue, read_value, write_value

_CONTAINER = 0x06
_DEEPEST = 8
_UNREAD = "unread"
_DIGITS = {Counted.LL: 2, Counted.LLL: 3}


@dataclass(slots=True)
class _Reading:
    """What went wrong while one frame was read."""

    faults: list[str] = field(default_factory=list)
    torn: bool = False

    def tear(self, fault: str) -> None:
        """Note that a value, not only a length around it, is incomplete."""
        self.faults.append(fault)
        self.torn = True


# --- reading ------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Message:
    """Read one frame, header included. Raises NotZvt when there is no ZVT header; everything else is
    lenient."""
    head = header(data)
    if head is None or data[0] not in CLASSES:
        raise NotZvt("no ZVT frame begins here")
    start, length = head
    control = int.from_bytes(data[:2], "big")
    message = _decode_body(control, data[start : start + length])
    present = len(data) - start
    if present == length:
        return message
    return Message(
        control=message.control,
        fields=message.fields,
        rest=message.rest + data[start + length :],
        faults=(f"the frame says {length} bytes, {present} came", *message.faults),
        torn=message.torn,
    )


def _decode_body(control: int, body: bytes) -> Message:
    if control >> 8 == Command.NEGATIVE >> 8:
        code = Field(name=ERROR_CODE, value=control & 0xFF)
        return Message(control=Command.NEGATIVE, fields=(code,), rest=body)
    if control not in Command._value2member_map_:
        return Message(control=control, rest=body)
    attempts = (_attempt(control, head, body) for head in HEADS.get(control, ((),)))
    best: Message | None = None
    for attempt in attempts:
        if not attempt.rest and not attempt.faults:
            return attempt
        if best is None or (len(attempt.rest), len(attempt.faults)) < (len(best.rest), len(best.faults)):
            best = attempt
    assert best is not None, "every command has at least one head"
    return best


def _attempt(control: int, head: Head, body: bytes) -> Message:
    reading = _Reading()
    fields: list[Field] = []
    at = 0
    for spec in head if body else ():
        end = _extent(spec, body, at, reading)
        if end is None:
            return Message(control=control, fields=tuple(fields), rest=body[at:], faults=(f"no {spec.name}",))
        begin, at = end
        try:
            value = read_value(spec, body[begin:at], alone=len(body) == 1)
        except UnableToReadValue as error:
            return Message(control=control, fields=tuple(fields), rest=body[begin:], faults=(str(error),))
        fields.append(Field(name=spec.name, value=value))
    rest = _read_bmps(body, at, fields, reading)
    return Message(
        control=control, fields=tuple(fields), rest=rest, faults=tuple(reading.faults), torn=reading.torn
    )


def _read_bmps(body: bytes, at: int, fields: list[Field], reading: _Reading) -> bytes:
    while at < len(body):
        spec = BMPS.get(body[at])
        if spec is None:
            reading.faults.append(f"unknown BMP {body[at]:02X}")
            return body[at:]
        extent = _extent(spec, body, at + 1, reading)
        if extent is None:
            reading.tear(f"BMP {spec.tag:02X} is cut short")
            return body[at:]
        begin, at = extent
        fields.append(_read_field(spec, f"bmp_{spec.tag:02X}", body[begin:at], 0, reading))
    return b""


def _extent(spec: FieldSpec, body: bytes, at: int, reading: _Reading) -> tuple[int, int] | None:
    """Say where a field's bytes begin and end; None where they are not all there."""
    match spec.counted:
        case Counted.FIXED:
            begin, length = at, spec.length or 0
        case Counted.BER:
            measured = _ber_length(body, at)
            if measured is None:
                return None
            begin, length = measured
            if length > len(body) - begin:
                # Z14: outer lengths are wrong in the field although every value inside is whole.
                reading.faults.append(f"{spec.name} says {length} bytes, {len(body) - begin} came")
                length = len(body) - begin
        case Counted.TAIL:
            begin, length = at, _tail_length(body, at)
        case _:
            begin = at + _DIGITS[spec.counted]
            counted = body[at:begin]
            if len(counted) < begin - at or any(byte >> 4 != 0xF or byte & 0xF > 9 for byte in counted):
                return None
            length = int("".join(str(byte & 0xF) for byte in counted))
    return (begin, begin + length) if begin + length <= len(body) else None


def _tail_length(body: bytes, at: int) -> int:
    """Find the end of a print line's text: a TLV container may follow it, and 06 is no printable sign."""
    for index in range(at, len(body)):
        if body[index] == _CONTAINER:
            measured = _ber_length(body, index + 1)
            if measured is not None and sum(measured) == len(body):
                return index - at
    return len(body) - at


def _ber_length(body: bytes, at: int) -> tuple[int, int] | None:
    if at >= len(body):
        return None
    first = body[at]
    if first < 0x80:
        return at + 1, first
    size = first & 0x7F
    if size not in (1, 2) or at + 1 + size > len(body):
        return None
    return at + 1 + size, int.from_bytes(body[at + 1 : at + 1 + size], "big")


def _read_field(spec: FieldSpec, raw_name: str, body: bytes, depth: int, reading: _Reading) -> Field:
    if spec.kind is Kind.GROUP and depth < _DEEPEST:
        return Field(name=spec.name, value=_read_tlvs(body, depth + 1, reading))
    try:
        return Field(name=spec.name, value=read_value(spec, body))
    except (UnableToReadValue, AssertionError) as error:
        reading.faults.append(str(error))
        return Field(name=raw_name, value=body.hex().upper())


def _read_tlvs(body: bytes, depth: int, reading: _Reading) -> tuple[Field, ...]:
    fields: list[Field] = []
    at = 0
    while at < len(body):
        tag_end = _tag_end(body, at)
        measured = None if tag_end is None else _ber_length(body, tag_end)
        if tag_end is None or measured is None:
            reading.tear("a TLV is cut short")
            return (*fields, Field(name=_UNREAD, value=body[at:].hex().upper()))
        tag = body[at:tag_end]
        spec = _tlv_spec(tag)
        begin, length = measured
        if begin + length > len(body):
            fault = f"TLV {tag.hex().upper()} says {length} bytes, {len(body) - begin} came"
            if spec.kind is not Kind.GROUP:
                reading.tear(fault)
                return (*fields, Field(name=_UNREAD, value=body[at:].hex().upper()))
            reading.faults.append(fault)
        at = min(begin + length, len(body))
        fields.append(_read_field(spec, f"tlv_{tag.hex().upper()}", body[begin:at], depth, reading))
    return tuple(fields)


def _tag_end(body: bytes, at: int) -> int | None:
    if body[at] & 0x1F != 0x1F:
        return at + 1
    for end in (at + 2, at + 3):
        if end > len(body):
            return None
        if not body[end - 1] & 0x80:
            return end
    return None


def _tlv_spec(tag: bytes) -> FieldSpec:
    known = TLVS.get(int.from_bytes(tag, "big"))
    if known is not None:
        return known
    kind = Kind.GROUP if tag[0] & 0x20 else Kind.HEX
    return FieldSpec(
        tag=int.from_bytes(tag, "big"), name=f"tlv_{tag.hex().upper()}", kind=kind, counted=Counted.BER
    )


# --- writing ------------------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """Write one frame. Raises UnableToEncode when a value does not fit or the message was not read whole."""
    if message.rest or message.faults:
        raise UnableToEncode(f"{message.name} holds bytes nobody could read")
    if message.control == Command.NEGATIVE:
        code = message.number(ERROR_CODE)
        if code is None or not 0 < code <= 0xFF:
            raise UnableToEncode("a refusal needs an error code")
        return frame(Command.NEGATIVE + code, b"")
    if not 0 <= message.control <= 0xFFFF or message.control >> 8 not in CLASSES:
        raise UnableToEncode(f"{message.control:04X} is no ZVT control field")
    head = _head(message)
    parts = [
        _counted(spec, _plain(spec, item.value)) for spec, item in zip(head, message.fields, strict=False)
    ]
    parts += [_write_bmp(item) for item in message.fields[len(head) :]]
    return frame(message.control, b"".join(parts))


def _head(message: Message) -> Head:
    names = [item.name for item in message.fields]
    fitting = [
        head
        for head in HEADS.get(message.control, ((),))
        if [spec.name for spec in head] == names[: len(head)]
    ]
    return max(fitting, key=len, default=())


def _plain(spec: FieldSpec, value: Value) -> bytes:
    if isinstance(value, tuple):
        raise UnableToEncode(f"{spec.name} is not a group")
    return write_value(spec, value)


def _write_bmp(item: Field) -> bytes:
    spec = BMPS_BY_NAME.get(item.name)
    if spec is None:
        raise UnableToEncode(f"{item.name} is no field of this command")
    body = _write_group(spec, item.value, 1) if spec.kind is Kind.GROUP else _plain(spec, item.value)
    return bytes([spec.tag]) + _counted(spec, body)


def _write_group(spec: FieldSpec, value: Value, depth: int) -> bytes:
    if not isinstance(value, tuple):
        raise UnableToEncode(f"{spec.name} is a group")
    if depth > _DEEPEST:
        raise UnableToEncode(f"{spec.name} is nested too deep")
    return b"".join(_write_tlv(item, depth) for item in value)


def _write_tlv(item: Field, depth: int) -> bytes:
    spec = TLVS_BY_NAME.get(item.name) or _unnamed_tlv(item.name)
    body = _write_group(spec, item.value, depth + 1) if spec.kind is Kind.GROUP else _plain(spec, item.value)
    tag = spec.tag.to_bytes((spec.tag.bit_length() + 7) // 8 or 1, "big")
    return tag + _counted(spec, body)


def _unnamed_tlv(name: str) -> FieldSpec:
    match = re.fullmatch(r"tlv_((?:[0-9A-F]{2}){1,3})", name)
    tag = bytes.fromhex(match[1]) if match else b""
    if not tag or _tag_end(tag, 0) != len(tag):
        raise UnableToEncode(f"{name} is no TLV tag")
    return _tlv_spec(tag)


def _counted(spec: FieldSpec, body: bytes) -> bytes:
    if spec.counted is Counted.BER:
        return _ber_prefix(len(body)) + body
    if spec.counted in _DIGITS:
        digits = f"{len(body):0{_DIGITS[spec.counted]}d}"
        if len(digits) > _DIGITS[spec.counted]:
            raise UnableToEncode(f"{spec.name} is too long")
        return bytes(0xF0 | int(digit) for digit in digits) + body
    return body


def _ber_prefix(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    if length <= 0xFF:
        return bytes([0x81, length])
    if length <= 0xFFFF:
        return bytes([0x82]) + length.to_bytes(2, "big")
    raise UnableToEncode("a TLV is too long")


# --- showing ------------------------------------------------------------------------------------------------


def describe(message: Message) -> dict[str, Any]:
    """Give a message's fields as plain data for a screen: secrets hidden, texts scrubbed, repeated names as
    lists."""
    return _described(message.fields)


def _described(fields: tuple[Field, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for item in fields:
        value = _shown(item)
        if item.name in shown:
            earlier = shown[item.name]
            shown[item.name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            shown[item.name] = value
    return shown


def _shown(item: Field) -> Any:
    if item.hidden:
        return "…"
    if isinstance(item.value, tuple):
        return _described(item.value)
    return scrub(item.value) if isinstance(item.value, str) and item.name in TEXT_NAMES else item.value
