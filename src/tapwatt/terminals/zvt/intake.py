"""The receiving half both roles share: bytes to messages, and what to do with a frame whose end never
comes."""

from __future__ import annotations

from tapwatt.terminals.zvt.codec import decode
from tapwatt.terminals.zvt.frames import DATA_LIMIT, FrameCutShort, FrameFault, Reassembler, header
from tapwatt.terminals.zvt.messages import Command, Message

_SLACK = 3


class Intake:
    """Turns a stream into messages; `fault` says why it cannot go on."""

    def __init__(self, *, frame_ms: int, limit: int = DATA_LIMIT) -> None:
        self._reassembler = Reassembler(limit=limit)
        self._frame_ms = frame_ms
        self._last_byte_ms = 0
        self.fault: FrameFault | None = None

    @property
    def due_ms(self) -> int | None:
        """When the incomplete frame at hand is given up."""
        if self.fault is not None or not self._reassembler.partial:
            return None
        return self._last_byte_ms + self._frame_ms

    def feed(self, data: bytes, now_ms: int) -> list[Message]:
        """Take bytes; give the messages complete now."""
        if data:
            self._last_byte_ms = now_ms
        messages = [decode(frame) for frame in self._reassembler.feed(data)]
        self.fault = self.fault or self._reassembler.fault
        return messages

    def tick(self, now_ms: int) -> list[Message]:
        """Give up on a frame that has stood incomplete too long: read it if only its length was wrong, else
        fail."""
        if self.due_ms is None or now_ms < self.due_ms:
            return []
        partial = self._reassembler.discard()
        message = _salvaged(partial)
        if message is None:
            self.fault = FrameCutShort(f"only {len(partial)} bytes of a frame came")
            return []
        return [message]


def _salvaged(partial: bytes) -> Message | None:
    """Read a 061E whose length byte promises a little more than it holds, as one client's test data does
    (Z14).

    Only that command: its result stands first. A few bytes only: a lost receipt number would make more.
    """
    head = header(partial)
    if head is None or int.from_bytes(partial[:2], "big") != Command.ABORTED:
        return None
    start, length = head
    message = decode(partial)
    whole = message.fields and not message.torn and not message.rest
    return without_faults(message) if whole and start + length - len(partial) <= _SLACK else None


def without_faults(message: Message) -> Message:
    """Give a message that was understood in spite of its wrong lengths."""
    return Message(control=message.control, fields=message.fields)
