"""Frames: a message on a byte stream is a 2-byte big-endian length and as many bytes.

A frame of length zero is a keep-alive and carries nothing. A frame over the limit ends the stream: what
follows could not be told from its content any more.
"""

from __future__ import annotations

LENGTH_BYTES = 2
FRAME_LIMIT = 4096  # bytes of one message


class FrameTooLong(ValueError):
    """A length over the limit, ours or theirs."""


def encode_frame(payload: bytes, *, limit: int = FRAME_LIMIT) -> bytes:
    """The bytes on the wire for one message; FrameTooLong when it does not fit."""
    if len(payload) > limit:
        raise FrameTooLong(f"a message of {len(payload)} bytes is over the limit of {limit}")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


KEEP_ALIVE = encode_frame(b"")


class FrameDecoder:
    """Collects bytes as they come and gives back whole messages. Holds at most one frame and what came with
    it.
    """

    def __init__(self, *, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self.keep_alives = 0

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and not ended: closing now would lose part of a message."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now; FrameTooLong when the next one announces too much.

        Messages complete before the offending length are lost with the stream: the sender has lost its place.
        """
        self._buffer += data
        frames: list[bytes] = []
        position = 0
        while len(self._buffer) - position >= LENGTH_BYTES:
            start = position + LENGTH_BYTES
            length = int.from_bytes(self._buffer[position:start], "big")
            if length > self._limit:
                raise FrameTooLong(f"a message of {length} bytes is over the limit of {self._limit}")
            if len(self._buffer) - start < length:
                break
            if length:
                frames.append(bytes(self._buffer[start : start + length]))
            else:
                self.keep_alives += 1
            position = start + length
        del self._buffer[:position]
        return frames
