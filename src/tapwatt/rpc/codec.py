"""OCPP-J frames ↔ JSON text, payloads left as they are.

Why payloads stay raw: an action's codec checks its own payload, and a billing message is kept even when
its payload is broken. Spec: OCPP-J 1.6 sections 4.1 and 4.2.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn, TypeVar

import msgspec

from tapwatt.rpc.messages import Call, CallError, CallResult, Frame

FRAME_BYTES: Final = 256 * 1024
MESSAGE_ID_LENGTH: Final = 36
"""What we send keeps to the standard's length …"""
FOREIGN_ID_LENGTH: Final = 255
"""… what we read may be longer: a billing message is not thrown away for a long id."""
ACTION_LENGTH: Final = 255
DESCRIPTION_LENGTH: Final = 255

T = TypeVar("T")

_CALL, _RESULT, _ERROR = 2, 3, 4
_parts = msgspec.json.Decoder(list[msgspec.Raw])
_identifier = msgspec.json.Decoder(str | int)
_integer = msgspec.json.Decoder(int)
_text = msgspec.json.Decoder(str)
_encode = msgspec.json.encode
# What a frame that is cut off may still show: type, id and action, the id without escapes.
_beginning = re.compile(
    rb'\s*\[\s*(\d)\s*,\s*(?:"([^"\\]{0,255})"|(-?\d{1,18}))\s*(?:,\s*"([A-Za-z0-9]{1,255})")?'
)
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class UnableToReadFrame(Exception):
    """The frame is not OCPP-J. What could still be read of it is kept, so that it can be answered."""

    def __init__(
        self, reason: str, *, kind: int | None, message_id: str | int | None, action: str | None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.message_id = message_id
        self.action = action


class UnableToWriteFrame(ValueError):
    """Our own frame breaks the protocol: a fault on our side."""


def encode(frame: Frame) -> bytes:
    """One frame as JSON text. Raises UnableToWriteFrame for a message id longer than the standard allows."""
    match frame:
        case Call():
            if not 1 <= len(str(frame.message_id)) <= MESSAGE_ID_LENGTH:
                raise UnableToWriteFrame(f"message id of {len(str(frame.message_id))} characters")
            return _encode([_CALL, frame.message_id, frame.action, msgspec.Raw(frame.payload)])
        case CallResult():
            return _encode([_RESULT, frame.message_id, msgspec.Raw(frame.payload)])
        case CallError():
            details = msgspec.Raw(frame.details)
            return _encode(
                [_ERROR, frame.message_id, frame.code, frame.description[:DESCRIPTION_LENGTH], details]
            )


def decode(data: bytes) -> Frame:
    """JSON text as one frame; ids may be numbers. Raises UnableToReadFrame and nothing else."""
    try:
        parts = _parts.decode(data)
    except _UNREADABLE:
        _give_up(data, "not a JSON array")
    kind = _read(_integer, parts, 0)
    message_id = _read_id(parts)
    action = _read(_text, parts, 2)
    reason = _complaint(kind, message_id, action, len(parts))
    if reason:
        raise UnableToReadFrame(reason, kind=kind, message_id=message_id, action=action)
    assert message_id is not None
    if kind == _CALL:
        assert action is not None
        return Call(message_id=message_id, action=action, payload=bytes(parts[3]))
    if kind == _RESULT:
        return CallResult(message_id=message_id, payload=bytes(parts[2]))
    return _call_error(message_id, action or "", parts)


def _complaint(kind: int | None, message_id: str | int | None, action: str | None, length: int) -> str:
    """What is wrong with the frame's head; "" when nothing is."""
    if kind not in (_CALL, _RESULT, _ERROR):
        return "unknown message type"
    if message_id is None:
        return "unreadable message id"
    if kind == _RESULT:
        return "" if length == 3 else f"CALLRESULT of {length} elements"
    if kind == _ERROR:
        return "" if 3 <= length <= 5 and action is not None else "unreadable CALLERROR"
    if action is None or not 1 <= len(action) <= ACTION_LENGTH:
        return "unreadable action"
    return "" if length == 4 else f"CALL of {length} elements"


def _call_error(message_id: str | int, code: str, parts: list[msgspec.Raw]) -> CallError:
    """Stations leave out the description or send null for the details; the code is what counts."""
    description = _read(_text, parts, 3) or ""
    details = bytes(parts[4]) if len(parts) > 4 else b"{}"
    return CallError(message_id=message_id, code=code, description=description, details=details)


def _read_id(parts: list[msgspec.Raw]) -> str | int | None:
    value = _read(_identifier, parts, 1)
    return value if value is not None and len(str(value)) <= FOREIGN_ID_LENGTH else None


def _read(decoder: msgspec.json.Decoder[T], parts: list[msgspec.Raw], index: int) -> T | None:
    try:
        return decoder.decode(parts[index])
    except (IndexError, *_UNREADABLE):
        return None


def _give_up(data: bytes, reason: str) -> NoReturn:
    """A cut-off frame often still shows its id: then the sender can be told."""
    found = _beginning.match(data)
    if found is None:
        raise UnableToReadFrame(reason, kind=None, message_id=None, action=None) from None
    kind, text, number, action = found.groups()
    message_id: str | int | None = int(number) if number is not None else _plain(text)
    raise UnableToReadFrame(
        reason, kind=int(kind), message_id=message_id, action=_plain(action) if action else None
    ) from None


def _plain(text: bytes) -> str | None:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None
