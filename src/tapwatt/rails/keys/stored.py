"""A card message at rest: the card number sealed, track data and PIN gone, the chip's sensitive tags
stripped.

For store-and-forward queues and stored answers. What comes back can be sent again; what was stripped must
never be (PCI DSS 3.3.1), so advices are built without it in the first place.
"""

from __future__ import annotations

import json
from typing import Any

from tapwatt.rails.emv.tlv import UnableToDecodeTlv, strip_sensitive
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys.pan import PanCipher

_PAN, _CHIP_DATA = 2, 55
_NEVER_STORED = (34, 35, 36, 45, 52, 53)


class UnableToRestore(ValueError):
    """Stored text that is not a stored message."""


def seal_message(message: Message, cipher: PanCipher) -> str:
    """The message as JSON text for a column."""
    fields: dict[str, str] = {}
    binary: dict[str, str] = {}
    for number, value in message.without(_PAN, *_NEVER_STORED).fields.items():
        if isinstance(value, str):
            fields[str(number)] = value
        elif number != _CHIP_DATA:
            binary[str(number)] = value.hex()
        elif (kept := _stripped(value)) is not None:
            binary[str(number)] = kept.hex()
    stored: dict[str, Any] = {"mti": message.mti, "fields": fields, "binary": binary}
    pan = message.get(_PAN)
    if isinstance(pan, str):
        stored["pan"] = cipher.seal(pan)
    return json.dumps(stored, separators=(",", ":"))


def open_message(text: str, cipher: PanCipher) -> Message:
    """The message back, card number in clear; UnableToRestore or UnableToOpen when the text is not ours."""
    try:
        stored = json.loads(text)
        fields: dict[int, str | bytes] = {
            int(number): str(value) for number, value in stored["fields"].items()
        }
        fields.update({int(number): bytes.fromhex(value) for number, value in stored["binary"].items()})
        mti, sealed = str(stored["mti"]), stored.get("pan")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnableToRestore("this text is not a stored message") from None
    if sealed is not None:
        fields[_PAN] = cipher.open(sealed)
    return Message(mti, fields)


def _stripped(chip_data: bytes) -> bytes | None:
    try:
        return strip_sensitive(chip_data)
    except UnableToDecodeTlv:  # nobody knows what is in it, so it is not kept
        return None
