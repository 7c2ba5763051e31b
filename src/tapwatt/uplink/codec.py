"""Uplink messages ↔ action and JSON payload. The action is the message's class name.

Lenient in: fields a newer side adds are skipped. A wrong or missing field is refused by name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tapwatt.rpc.messages import OCPP_2
from tapwatt.rpc.protocol import Rules
from tapwatt.uplink.messages import FROM_EDGE, FROM_PLATFORM, Accepted, FromEdge, FromPlatform, Message

_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    each.__name__: msgspec.json.Decoder(each) for each in (*FROM_EDGE, *FROM_PLATFORM)
}
_answer = msgspec.json.Decoder(Accepted)

ACTIONS_FROM_EDGE = frozenset(each.__name__ for each in FROM_EDGE)
ACTIONS_FROM_PLATFORM = frozenset(each.__name__ for each in FROM_PLATFORM)

PLATFORM_RULES = Rules(dialect=OCPP_2, known=frozenset(_decoders), supported=ACTIONS_FROM_EDGE)
EDGE_RULES = Rules(dialect=OCPP_2, known=frozenset(_decoders), supported=ACTIONS_FROM_PLATFORM)


class UnableToReadMessage(Exception):
    """The payload is not what its action needs; the text names the field."""


def encode_call(message: Message) -> tuple[str, bytes]:
    """Action and payload of a message."""
    return type(message).__name__, msgspec.json.encode(message)


def decode_call(action: str, payload: bytes) -> Message:
    """The message of a CALL. Raises UnableToReadMessage."""
    decoder = _decoders.get(action)
    if decoder is None:
        raise UnableToReadMessage(f"unknown action {action[:40]}")
    message: Message = _read(decoder, payload)
    return message


def decode_from_edge(action: str, payload: bytes) -> FromEdge:
    """A CALL the platform got."""
    message = decode_call(action, payload)
    if not isinstance(message, FROM_EDGE):
        raise UnableToReadMessage(f"{action} is not for the platform")
    return message


def decode_from_platform(action: str, payload: bytes) -> FromPlatform:
    """A CALL the edge got."""
    message = decode_call(action, payload)
    if not isinstance(message, FROM_PLATFORM):
        raise UnableToReadMessage(f"{action} is not for an edge")
    return message


def encode_answer(answer: Accepted) -> bytes:
    """Payload of a CALLRESULT."""
    return msgspec.json.encode(answer)


def decode_answer(payload: bytes) -> Accepted:
    """The answer in a CALLRESULT. Raises UnableToReadMessage."""
    accepted: Accepted = _read(_answer, payload)
    return accepted


def _read(decoder: msgspec.json.Decoder[Any], payload: bytes) -> Any:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise UnableToReadMessage(str(problem)) from None
