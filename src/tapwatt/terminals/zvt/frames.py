"""Where one ZVT message ends in a TCP stream: `CC II LEN data`, LEN = FF means two more bytes, low byte
first.

Bare APDUs follow each other without marks, so a stream that is not ZVT is noticed at its first class byte and
an absurd length before its data is waited for. terminals.md section 4.1.
"""

from __future__ import annotations

CLASSES = frozenset({0x01, 0x04, 0x05, 0x06, 0x08, 0x0F, 0x80, 0x84})
DATA_LIMIT = 4096
_LONG_FORM = 0xFF
_LARGEST_DATA = 0xFFFF


class FrameFault(Exception):
    """The stream cannot be read any further; the connection has to be closed."""


class NotZvt(FrameFault):
    """A class byte no ZVT command has."""


class FrameTooLarge(FrameFault):
    """A length above what this side is willing to keep."""


class FrameCutShort(FrameFault):
    """A frame whose end did not come in time."""


def frame(control: int, data: bytes) -> bytes:
    """Put control field and length in front of the data."""
    if len(data) > _LARGEST_DATA:
        raise FrameTooLarge(f"{len(data)} bytes do not fit one frame")
    if len(data) < _LONG_FORM:
        return control.to_bytes(2, "big") + bytes([len(data)]) + data
    return control.to_bytes(2, "big") + bytes([_LONG_FORM]) + len(data).to_bytes(2, "little") + data


def header(data: bytes) -> tuple[int, int] | None:
    """Give where the data begins and how long it claims to be; None while the header is incomplete."""
    if len(data) < 3:
        return None
    if data[2] != _LONG_FORM:
        return 3, data[2]
    if len(data) < 5:
        return None
    return 5, int.from_bytes(data[3:5], "little")


class Reassembler:
    """Cuts a stream into whole frames, however it is delivered; keeps at most one incomplete frame.

    After a fault (`fault` is set) nothing more is read: there is no mark in the stream to begin again at.
    """

    def __init__(self, *, limit: int = DATA_LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()
        self.fault: FrameFault | None = None

    @property
    def partial(self) -> bytes:
        """The beginning of a frame whose end has not come yet."""
        return bytes(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes from the stream; give the frames that are complete now."""
        if self.fault is not None:
            return []
        self._held += data
        frames: list[bytes] = []
        while (size := self._complete()) is not None:
            frames.append(bytes(self._held[:size]))
            del self._held[:size]
        return frames

    def discard(self) -> bytes:
        """Forget the incomplete frame and give its bytes."""
        partial = self.partial
        self._held.clear()
        return partial

    def _complete(self) -> int | None:
        if self._held and self._held[0] not in CLASSES:
            self._fail(NotZvt(f"class byte {self._held[0]:02X} is not ZVT"))
            return None
        head = header(bytes(self._held[:5]))
        if head is None:
            return None
        start, length = head
        if length > self._limit:
            self._fail(FrameTooLarge(f"a frame of {length} bytes is above the limit of {self._limit}"))
            return None
        return start + length if len(self._held) >= start + length else None

    def _fail(self, fault: FrameFault) -> None:
        self.fault = fault
        self._held.clear()
