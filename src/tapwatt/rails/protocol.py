"""One ISO 8583 connection without its socket, either end of it (reference/rails.md section 2.4, item 16).

The client signs on (0800, code 001) before anything else; both ends answer network messages, the client
asks for an echo (301) when the line is silent, and three echoes without an answer mean the line is dead.
Bytes go in, events come out; what there is to send waits in `data_to_send`. Time comes in as an argument,
trace numbers from `stans`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tapwatt.rails.codec import FRAME_LIMIT, FrameDecoder, FrameTooLong, encode_frame
from tapwatt.rails.iso8583 import Message, Spec, UnableToDecode
from tapwatt.rails.messages import (
    FORWARDER,
    NETWORK_CODE,
    RESPONSE_CODE,
    NetworkCode,
    network_request,
    response,
    text_or_empty,
)
from tapwatt.rails.mti import is_network, is_request
from tapwatt.rails.mux import Mux, Unmatched
from tapwatt.rails.responses import ResponseCode


class Role(StrEnum):
    """Which end we are: the client dials and signs on."""

    CLIENT = "client"
    SERVER = "server"


class ConnectionState(StrEnum):
    """Where a connection stands."""

    OPENED = "opened"  # nobody has signed on yet
    SIGNED_ON = "signed on"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Times and bounds of one connection."""

    echo_after_ms: int = 30_000  # silence after which the client asks for an echo
    network_timeout_ms: int = 10_000  # for the answer to a sign-on or an echo
    missed_echoes: int = 3  # the server waits one echo time longer before it calls a silent partner dead
    rejected_messages: int = 3  # undecodable messages in a row before the line is closed
    frame_bytes: int = FRAME_LIMIT


@dataclass(frozen=True, slots=True)
class SignedOn:
    """Both ends may send requests now. `message` is the sign-on (server) or its answer (client)."""

    message: Message


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request or advice to be handled; answer it with `respond`."""

    message: Message


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The answer to a request of ours."""

    request: Message
    response: Message


@dataclass(frozen=True, slots=True)
class UnmatchedReceived:
    """An answer to no question in flight, such as a late approval: its hold may have to be reversed."""

    unmatched: Unmatched


@dataclass(frozen=True, slots=True)
class RequestTimedOut:
    """No answer in time: the outcome is unknown."""

    request: Message


@dataclass(frozen=True, slots=True)
class MessageRejected:
    """A message that could not be read, or a request that came before the sign-on."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The line must be closed (or is). `unanswered` are the requests whose outcome is unknown now."""

    reason: str
    unanswered: tuple[Message, ...] = ()


Event = (
    SignedOn
    | RequestReceived
    | ResponseReceived
    | UnmatchedReceived
    | RequestTimedOut
    | MessageRejected
    | LinkDown
)


class NotSignedOn(Exception):
    """A request before the sign-on, or after the end: nothing was sent."""


def accept_anybody(_message: Message) -> str:
    """Let every partner sign on (field 39 of the answer)."""
    return ResponseCode.APPROVED


class Connection:
    """The state of one connection. `stans` gives trace numbers for network messages."""

    def __init__(
        self,
        *,
        spec: Spec,
        role: Role,
        stans: Iterator[str],
        now_ms: int,
        limits: ConnectionLimits | None = None,
        forwarder_id: str = "",
        accept_sign_on: Callable[[Message], str] = accept_anybody,
    ) -> None:
        self.state = ConnectionState.OPENED
        self.partner = ""  # field 33 of the partner's sign-on, where it gave one
        self.mux = Mux()
        self._spec, self._role, self._stans = spec, role, stans
        self._limits = ConnectionLimits() if limits is None else limits
        self._forwarder_id, self._accept_sign_on = forwarder_id, accept_sign_on
        self._frames = FrameDecoder(limit=self._limits.frame_bytes)
        self._outgoing = bytearray()
        self._heard_ms = self._opened_ms = now_ms
        self._echo_in_flight = False
        self._missed_echoes = 0
        self._rejected = 0

    @property
    def closed(self) -> bool:
        """Whether the line is over: nothing goes in or out any more."""
        return self.state is ConnectionState.CLOSED

    def open(self, now_ms: int) -> None:
        """Client: begin with the sign-on. The server waits for it."""
        if self._role is Role.CLIENT:
            self._network(NetworkCode.SIGN_ON, now_ms)

    def request(self, message: Message, *, now_ms: int, timeout_ms: int) -> None:
        """Send a request; its answer, its time-out or the end of the line comes as an event.

        NotSignedOn, UnableToSend and UnableToEncode mean that nothing was sent.
        """
        if self.state is not ConnectionState.SIGNED_ON:
            raise NotSignedOn(f"the connection is {self.state}")
        frame = self._frame(message)
        self.mux.sent(message, now_ms=now_ms, timeout_ms=timeout_ms)
        self._outgoing += frame

    def respond(self, message: Message) -> None:
        """Send the answer to a request; dropped when the line is closed, the partner will ask again."""
        if not self.closed:
            self._outgoing += self._frame(message)

    def sign_off(self, now_ms: int) -> None:
        """Say that nothing more will come (002); close the line after sending."""
        if self.state is ConnectionState.SIGNED_ON:
            self._network(NetworkCode.SIGN_OFF, now_ms)

    def data_to_send(self) -> bytes:
        """What there is to write to the socket; asking empties it."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes, *, now_ms: int) -> list[Event]:
        """What these bytes mean."""
        if self.closed:
            return []
        self._heard_ms = now_ms
        try:
            frames = self._frames.feed(data)
        except FrameTooLong as error:
            return [self._down(str(error))]
        events: list[Event] = []
        for frame in frames:
            events += self._message(frame, now_ms)
            if self.closed:
                break
        return events

    def ended(self) -> list[Event]:
        """The partner closed the line, or the network lost it."""
        if self.closed:
            return []
        return [self._down("closed inside a message" if self._frames.partial else "closed by the partner")]

    def tick(self, now_ms: int) -> list[Event]:
        """What time has brought: time-outs, and an echo when the line is silent."""
        if self.closed:
            return []
        events: list[Event] = []
        for late in self.mux.expired(now_ms):
            events += self._timed_out(late)
            if self.closed:
                return events
        due_ms = self._silence_due_ms()
        if due_ms is None or now_ms < due_ms:
            return events
        if self._role is Role.SERVER:
            return [*events, self._down("the partner is silent")]
        self._echo_in_flight = True
        self._network(NetworkCode.ECHO, now_ms)
        return events

    def due_ms(self) -> int | None:
        """When `tick` has something to do next, None for never."""
        times = [due for due in (self.mux.due_ms(), self._silence_due_ms()) if due is not None]
        return min(times, default=None)

    def _silence_due_ms(self) -> int | None:
        """When silence has lasted too long: the client asks for an echo then, the server hangs up."""
        limits, signed_on = self._limits, self.state is ConnectionState.SIGNED_ON
        if self._role is Role.CLIENT:
            return self._heard_ms + limits.echo_after_ms if signed_on and not self._echo_in_flight else None
        if signed_on:
            return self._heard_ms + limits.echo_after_ms * (limits.missed_echoes + 1)
        return self._opened_ms + limits.network_timeout_ms

    def _network(self, code: NetworkCode, now_ms: int) -> None:
        message = network_request(
            code, stan=next(self._stans), now_ms=now_ms, forwarder_id=self._forwarder_id
        )
        self.mux.sent(message, now_ms=now_ms, timeout_ms=self._limits.network_timeout_ms)
        self._outgoing += self._frame(message)

    def _frame(self, message: Message) -> bytes:
        return encode_frame(self._spec.encode(message), limit=self._limits.frame_bytes)

    def _message(self, frame: bytes, now_ms: int) -> list[Event]:
        try:
            message = self._spec.decode(frame)
        except UnableToDecode as error:
            return self._reject(str(error))
        self._rejected = 0
        if not is_request(message.mti):
            return self._answered(message, now_ms)
        if is_network(message.mti):
            return self._network_asked(message)
        if self.state is not ConnectionState.SIGNED_ON:
            # 91 and not a refusal: whoever forwards an advice must keep it and try again.
            self.respond(response(message, ResponseCode.ISSUER_INOPERATIVE, spec=self._spec))
            return [MessageRejected("a request before the sign-on")]
        return [RequestReceived(message)]

    def _reject(self, reason: str) -> list[Event]:
        self._rejected += 1
        events: list[Event] = [MessageRejected(reason)]
        if self._rejected >= self._limits.rejected_messages:
            events.append(
                self._down(f"{self._rejected} unreadable messages in a row, the last one: {reason}")
            )
        return events

    def _network_asked(self, message: Message) -> list[Event]:
        code = message.get(NETWORK_CODE)
        answer: str = ResponseCode.APPROVED
        events: list[Event] = []
        match code:
            case NetworkCode.SIGN_ON if self._role is Role.SERVER:
                answer = self._accept_sign_on(message)
                if answer == ResponseCode.APPROVED:
                    self.state = ConnectionState.SIGNED_ON
                    self.partner = text_or_empty(message, FORWARDER)
                    events = [SignedOn(message)]
                else:
                    events = [MessageRejected(f"sign-on refused with response code {answer}")]
            case NetworkCode.SIGN_OFF:
                self.respond(response(message, answer, spec=self._spec))
                return [self._down("signed off by the partner")]
            case NetworkCode.ECHO:
                pass
            case _:
                answer = ResponseCode.INVALID_TRANSACTION
        self.respond(response(message, answer, spec=self._spec))
        return events

    def _answered(self, message: Message, now_ms: int) -> list[Event]:
        request = self.mux.received(message, now_ms=now_ms)
        if isinstance(request, Unmatched):
            return [UnmatchedReceived(request)]
        if not is_network(request.mti):
            return [ResponseReceived(request, message)]
        match request.get(NETWORK_CODE):
            case NetworkCode.SIGN_ON:
                code = message.get(RESPONSE_CODE)
                if code != ResponseCode.APPROVED:
                    return [self._down(f"sign-on refused with response code {code!s}")]
                self.state = ConnectionState.SIGNED_ON
                return [SignedOn(message)]
            case NetworkCode.SIGN_OFF:
                return [self._down("signed off")]
            case _:
                self._echo_in_flight, self._missed_echoes = False, 0
                return []

    def _timed_out(self, request: Message) -> list[Event]:
        if not is_network(request.mti):
            return [RequestTimedOut(request)]
        match request.get(NETWORK_CODE):
            case NetworkCode.SIGN_ON:
                return [self._down("the sign-on was not answered")]
            case NetworkCode.SIGN_OFF:
                return [self._down("the sign-off was not answered")]
            case _:
                return self._echo_missed()

    def _echo_missed(self) -> list[Event]:
        self._echo_in_flight = False  # and silence is long enough already: the next tick asks again
        self._missed_echoes += 1
        if self._missed_echoes < self._limits.missed_echoes:
            return []
        return [self._down(f"{self._missed_echoes} echoes were not answered")]

    def _down(self, reason: str) -> LinkDown:
        self.state = ConnectionState.CLOSED
        unanswered = tuple(request for request in self.mux.drain() if not is_network(request.mti))
        return LinkDown(reason, unanswered)
