"""ZVT on a serial line, both ends alike: blocks with a checksum, each acknowledged by one byte; no I/O here.

A block is `10 02`, the message with every `10` doubled, `10 03`, checksum low byte first. The other side
answers `06` (taken) or `15` (again, please). terminals.md section 4.1, vectors Z29 and Z30.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from tapwatt.terminals.zvt.frames import DATA_LIMIT, Reassembler, frame, header
from tapwatt.terminals.zvt.messages import Command

DLE, STX, ETX, ACK, NAK = 0x10, 0x02, 0x03, 0x06, 0x15
_POLYNOMIAL = 0x8408
_QUEUE_LIMIT = 64

# A terminal that was silent may still have acted: these go out once, and again only after a NAK.
NOT_REPEATED_INTO_SILENCE = frozenset(
    {
        Command.AUTHORISATION,
        Command.PREAUTHORISATION,
        Command.PARTIAL_REVERSAL,
        Command.BOOK_TOTAL,
        Command.PREAUTHORISATION_REVERSAL,
        Command.REVERSAL,
        Command.REFUND,
        Command.END_OF_DAY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialTimings:
    """How long a side waits, in milliseconds: T1 for the next character of a block, T2 for the byte that
    acknowledges one (it may come late); and how often a block is sent again."""

    character_ms: int = 200
    acknowledgement_ms: int = 5_000
    repeats: int = 3

    @property
    def longest_ms(self) -> int:
        """How long a block may take until it is acknowledged or given up."""
        return self.acknowledgement_ms * (self.repeats + 1)


def checksum(message: bytes) -> bytes:
    """Give the two bytes that end a block: CRC-16 (reflected 8408, start 0) over the message and one 03."""
    crc = 0
    for byte in (*message, ETX):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def block(message: bytes) -> bytes:
    """Give the block that carries one message."""
    stuffed = message.replace(bytes([DLE]), bytes([DLE, DLE]))
    return bytes([DLE, STX]) + stuffed + bytes([DLE, ETX]) + checksum(message)


class _At(Enum):
    """Where in a block the reader stands."""

    OUTSIDE = 0
    OUTSIDE_DLE = 1
    INSIDE = 2
    INSIDE_DLE = 3
    CHECKSUM = 4
    SKIPPING = 5  # a damaged block runs out; its bytes must not be taken for acknowledgements
    SKIPPING_DLE = 6


_BETWEEN = (_At.OUTSIDE, _At.OUTSIDE_DLE)
_ANSWERS = (Command.POSITIVE >> 8, Command.NEGATIVE >> 8)


class SerialLine:
    """One end of a line. `send` takes bare messages, `receive` gives bare messages, as on TCP; put
    `data_to_send` on the wire after each of them and after `tick`. `fault` says why the line is given up."""

    def __init__(self, *, timings: SerialTimings | None = None, limit: int = DATA_LIMIT) -> None:
        self._timings = timings or SerialTimings()
        self._limit = limit + 5
        self._cutter = Reassembler(limit=limit)
        self._waiting: deque[bytes] = deque()
        self._open = b""
        """The message that is out and not acknowledged yet."""
        self._repeats = 0
        self._ack_due_ms: int | None = None
        self._at = _At.OUTSIDE
        self._held = bytearray()
        self._check = bytearray()
        self._character_due_ms: int | None = None
        self._last_taken = b""
        self._said_since = False
        self._outbox = bytearray()
        self.fault = ""

    @property
    def due_ms(self) -> int | None:
        """When `tick` has something to do, None when nothing is waited for."""
        dues = [due for due in (self._ack_due_ms, self._character_due_ms) if due is not None]
        return min(dues, default=None) if not self.fault else None

    def send(self, data: bytes, now_ms: int) -> None:
        """Queue messages; each goes out when the one before was acknowledged."""
        self._waiting.extend(self._cutter.feed(data))
        if len(self._waiting) > _QUEUE_LIMIT:
            self._fail("more messages wait than the line can carry")
        self._next(now_ms)

    def receive(self, data: bytes, now_ms: int) -> bytes:
        """Take bytes from the wire; give the messages in them, bare and with their right length."""
        if self._character_due_ms is not None and now_ms >= self._character_due_ms:
            self._discard()
        taken = bytearray()
        for byte in data:
            if self.fault:
                break
            taken += self._byte(byte, now_ms)
        if data:
            inside = self._at not in _BETWEEN and not self.fault
            self._character_due_ms = now_ms + self._timings.character_ms if inside else None
        return bytes(taken)

    def tick(self, now_ms: int) -> None:
        """Say that time has passed: a block that stopped is refused, one nobody acknowledged goes again."""
        if self._character_due_ms is not None and now_ms >= self._character_due_ms:
            self._discard()
        if self._ack_due_ms is not None and now_ms >= self._ack_due_ms:
            self._silence(now_ms)

    def data_to_send(self) -> bytes:
        """Give the bytes to put on the wire, once."""
        data = bytes(self._outbox)
        self._outbox.clear()
        return data

    # --- what goes out

    def _next(self, now_ms: int) -> None:
        if self._open or not self._waiting or self.fault:
            return
        self._open, self._repeats, self._said_since = self._waiting.popleft(), 0, True
        self._put(now_ms)

    def _put(self, now_ms: int) -> None:
        self._outbox += block(self._open)
        self._ack_due_ms = now_ms + self._timings.acknowledgement_ms

    def _acknowledged(self, now_ms: int) -> None:
        """One that nobody waits for came late, after a repeat: it changes nothing."""
        self._open, self._ack_due_ms = b"", None
        self._next(now_ms)

    def _refused(self, now_ms: int) -> None:
        if self._open:
            self._again(now_ms, "the other side refuses every block")

    def _silence(self, now_ms: int) -> None:
        if int.from_bytes(self._open[:2], "big") in NOT_REPEATED_INTO_SILENCE:
            self._fail("the other side does not acknowledge a command about money")
        else:
            self._again(now_ms, "the other side does not acknowledge")

    def _again(self, now_ms: int, reason: str) -> None:
        if self._repeats >= self._timings.repeats:
            self._fail(reason)
            return
        self._repeats += 1
        self._put(now_ms)

    def _fail(self, reason: str) -> None:
        self.fault = self.fault or reason
        self._ack_due_ms = self._character_due_ms = None

    # --- what comes in

    def _byte(self, byte: int, now_ms: int) -> bytes:
        match self._at:
            case _At.OUTSIDE:
                self._outside(byte, now_ms)
            case _At.OUTSIDE_DLE if byte == STX:
                self._begin()
            case _At.OUTSIDE_DLE:
                self._at = _At.OUTSIDE
                self._outside(byte, now_ms)
            case _At.INSIDE if byte == DLE:
                self._at = _At.INSIDE_DLE
            case _At.INSIDE:
                self._keep(byte)
            case _At.INSIDE_DLE:
                self._after_dle(byte)
            case _At.SKIPPING:
                self._at = _At.SKIPPING_DLE if byte == DLE else _At.SKIPPING
            case _At.SKIPPING_DLE if byte == STX:
                self._begin()
            case _At.SKIPPING_DLE:
                self._at = _At.SKIPPING
            case _At.CHECKSUM:
                self._check.append(byte)
                return self._ended(now_ms) if len(self._check) == 2 else b""
        return b""

    def _outside(self, byte: int, now_ms: int) -> None:
        """Between blocks anything but a beginning and an acknowledgement is noise."""
        if byte == DLE:
            self._at = _At.OUTSIDE_DLE
        elif byte == ACK:
            self._acknowledged(now_ms)
        elif byte == NAK:
            self._refused(now_ms)

    def _after_dle(self, byte: int) -> None:
        if byte == DLE:
            self._keep(byte)
        elif byte == ETX:
            self._at = _At.CHECKSUM
        elif byte == STX:
            self._begin()  # the block before was cut off, and its sender starts again
        else:
            self._at = _At.SKIPPING

    def _begin(self) -> None:
        self._at = _At.INSIDE
        self._held.clear()
        self._check.clear()

    def _keep(self, byte: int) -> None:
        self._at = _At.INSIDE
        self._held.append(byte)
        if len(self._held) > self._limit:
            self._at = _At.SKIPPING

    def _discard(self) -> None:
        """Refuse a block that is damaged, too long or not finished in time."""
        self._at, self._character_due_ms = _At.OUTSIDE, None
        self._outbox.append(NAK)

    def _ended(self, now_ms: int) -> bytes:
        message = bytes(self._held)
        if bytes(self._check) != checksum(message) or len(message) == 1:
            self._discard()
            return b""
        self._at = _At.OUTSIDE
        self._outbox.append(ACK)
        if not message:
            # Some units acknowledge with a block that holds nothing.
            self._acknowledged(now_ms)
            return b""
        if message == self._last_taken and (self._open or not self._said_since):
            return b""  # our ACK was lost, and the block came again
        self._last_taken, self._said_since = message, False
        if message[0] in _ANSWERS or self._open[:1] in (b"\x80", b"\x84"):
            # Whoever answers, or goes on after our answer, has had what we said; its ACK is late or lost.
            self._acknowledged(now_ms)
        return _with_right_length(message)


def _with_right_length(message: bytes) -> bytes:
    """The checksum proves that all of it came, so a length byte that is wrong or missing is set right."""
    head = header(message)
    start = 2 if head is None else head[0]
    return frame(int.from_bytes(message[:2], "big"), message[start:])
