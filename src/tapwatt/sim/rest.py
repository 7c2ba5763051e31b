"""Card messages at rest in the terminal: without card number, expiry and chip data (design.md law 7).

The card is in its drawer under its sandbox name; number and expiry are put back when an advice is sent.
"""

from __future__ import annotations

import json

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import CHIP_DATA, EXPIRY, PAN
from tapwatt.rails.sandbox import SandboxCard


def at_rest(message: Message) -> str:
    """A message as text for a column."""
    kept = message.without(PAN, EXPIRY, CHIP_DATA)
    fields = {number: kept.text(number) for number in kept.fields}
    return json.dumps({"mti": kept.mti, "fields": fields}, separators=(",", ":"))


def from_rest(text: str, test_card: SandboxCard | None = None) -> Message:
    """The message back; with a card, ready to be sent."""
    data = json.loads(text)
    message = Message(data["mti"], {int(number): value for number, value in data["fields"].items()})
    if test_card is None:
        return message
    return message.replace({PAN: test_card.pan, EXPIRY: test_card.expiry})
