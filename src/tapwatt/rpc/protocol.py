"""One end of an OCPP-J connection, without the connection: either role, fed by a link or by a test.

Rules kept here (OCPP-J 1.6 sections 4.1 and 4.2): one CALL of ours open at a time, the rest waits in a
bounded queue; answers are matched by id; a repeated CALL gets the stored answer instead of a second
effect; what cannot be read gets the protocol's own error. Ids and time arrive as arguments.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass

from tapwatt.rpc.codec import FRAME_BYTES, UnableToReadFrame, decode, encode
from tapwatt.rpc.messages import (
    OCPP_16,
    UNREADABLE_ID,
    Answered,
    Broken,
    Call,
    Called,
    CallError,
    CallResult,
    Dialect,
    Event,
    Fault,
    Garbled,
    NotSent,
    Refused,
    Repeated,
    Unanswered,
    Unmatched,
)

TIMEOUT_MS = 30_000
_CALL_KIND, _ANSWER_KINDS = 2, (3, 4)
_TOO_BIG, _POLICY = 1009, 1008  # WebSocket close codes (RFC 6455 section 7.4.1)


class QueueFull(Exception):
    """Too many CALLs wait for their turn: the other side is slower than what is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one wire allows. Actions in `never_refused` (billing) reach the owner whatever their payload."""

    dialect: Dialect = OCPP_16
    known: Collection[str] | None = None
    """Actions of the standard; any other is NotImplemented. None: the owner decides."""
    supported: Collection[str] | None = None
    """Actions we serve; a known one that is not here is NotSupported."""
    never_refused: frozenset[str] = frozenset()
    frame_bytes: int = FRAME_BYTES
    queue_length: int = 64
    calls_in_hand: int = 32
    """CALLs of the other side we hold unanswered; the standard allows it one."""
    answers_kept: int = 100
    garbled_limit: int = 50


@dataclass(slots=True, kw_only=True)
class _Outgoing:
    call: Call
    timeout_ms: int
    due_ms: int


class Peer:
    """Sans-I/O: `receive` and `tick` return events, verbs queue frames that `frames_to_send` hands out."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._open: _Outgoing | None = None
        self._waiting: deque[_Outgoing] = deque()
        self._in_hand: dict[str, tuple[str | int, bytes]] = {}
        self._answers: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()
        self._out: list[bytes] = []
        self._garbled = 0

    # --- what the owner does

    def call(
        self, *, message_id: str, action: str, payload: bytes, now_ms: int, timeout_ms: int = TIMEOUT_MS
    ) -> None:
        """Ask the other side, now or when its turn comes. Raises QueueFull."""
        if len(self._waiting) >= self._rules.queue_length:
            raise QueueFull(f"{len(self._waiting)} calls wait already")
        call = Call(message_id=message_id, action=action, payload=payload)
        self._waiting.append(_Outgoing(call=call, timeout_ms=timeout_ms, due_ms=now_ms + timeout_ms))
        self._send_next(now_ms)

    def withdraw(self, message_id: str) -> None:
        """Take back a CALL that still waits; one already sent cannot be taken back."""
        self._waiting = deque(each for each in self._waiting if each.call.message_id != message_id)

    def answer(self, message_id: str | int, payload: bytes) -> None:
        """Answer a Called event positively; the answer is kept for repeats. Nothing happens after `lost`."""
        asked = self._in_hand.pop(str(message_id), None)
        if asked is None:
            return
        digest = asked[1]
        frame = encode(CallResult(message_id=message_id, payload=payload))
        self._answers[str(message_id)] = (digest, frame)
        while len(self._answers) > self._rules.answers_kept:
            self._answers.popitem(last=False)
        self._out.append(frame)

    def refuse(self, message_id: str | int, fault: Fault, description: str = "") -> None:
        """Answer a Called event with a CALLERROR. Not kept: a repeat is tried again."""
        if self._in_hand.pop(str(message_id), None) is not None:
            self._refuse(message_id, fault, description)

    def frames_to_send(self) -> list[bytes]:
        """The frames queued since the last time, in order."""
        frames, self._out = self._out, []
        return frames

    # --- what happens to it

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        """One WebSocket text message."""
        if len(data) > self._rules.frame_bytes:
            reason = f"frame of {len(data)} bytes, at most {self._rules.frame_bytes} allowed"
            return [Broken(code=_TOO_BIG, reason=reason)]
        try:
            frame = decode(data)
        except UnableToReadFrame as problem:
            return self._unreadable(problem, data, now_ms)
        if isinstance(frame, Call):
            return self._called(frame)
        return self._matched(frame, now_ms)

    def tick(self, now_ms: int) -> list[Event]:
        """Time passed: an open CALL may be given up (outcome unknown), a waiting one too (never sent)."""
        events: list[Event] = []
        if self._open is not None and self._open.due_ms <= now_ms:
            events.append(Unanswered(message_id=str(self._open.call.message_id), reason="no answer in time"))
            self._open = None
        for each in [each for each in self._waiting if each.due_ms <= now_ms]:
            self._waiting.remove(each)
            events.append(NotSent(message_id=str(each.call.message_id), reason="waited too long to be sent"))
        self._send_next(now_ms)
        return events

    def lost(self, reason: str) -> list[Event]:
        """The connection is gone: the open CALL is unknown, the waiting ones were never sent."""
        events: list[Event] = []
        if self._open is not None:
            events.append(Unanswered(message_id=str(self._open.call.message_id), reason=reason))
        events += [NotSent(message_id=str(each.call.message_id), reason=reason) for each in self._waiting]
        self._open = None
        self._waiting.clear()
        self._in_hand.clear()
        self._out.clear()
        return events

    @property
    def next_due_ms(self) -> int | None:
        """When `tick` has something to do next."""
        dues = [each.due_ms for each in self._waiting]
        if self._open is not None:
            dues.append(self._open.due_ms)
        return min(dues, default=None)

    # --- inbound

    def _called(self, call: Call) -> list[Event]:
        key, digest = str(call.message_id), _digest(call)
        stored = self._answers.get(key)
        if stored is not None and stored[0] == digest:
            self._out.append(stored[1])
            return [Repeated(message_id=call.message_id, action=call.action)]
        if key in self._in_hand:
            return self._called_again(call, digest)
        rules = self._rules
        if rules.known is not None and call.action not in rules.known:
            self._refuse(call.message_id, Fault.NOT_IMPLEMENTED, f"{call.action} is unknown")
            return []
        if rules.supported is not None and call.action not in rules.supported:
            self._refuse(call.message_id, Fault.NOT_SUPPORTED, f"{call.action} is not supported")
            return []
        if len(self._in_hand) >= rules.calls_in_hand:
            return [Broken(code=_POLICY, reason=f"more than {rules.calls_in_hand} calls unanswered")]
        self._in_hand[key] = (call.message_id, digest)
        return [Called(message_id=call.message_id, action=call.action, payload=call.payload)]

    def _called_again(self, call: Call, digest: bytes) -> list[Event]:
        """The same CALL once more gets one answer; another one under an id in use cannot be told apart."""
        if self._in_hand[str(call.message_id)][1] == digest:
            return [Repeated(message_id=call.message_id, action=call.action)]
        return [Broken(code=_POLICY, reason="message id used for two open calls")]

    def _matched(self, frame: CallResult | CallError, now_ms: int) -> list[Event]:
        if self._open is None or str(self._open.call.message_id) != str(frame.message_id):
            return [Unmatched(frame=frame)]
        message_id = str(frame.message_id)
        self._open = None
        self._send_next(now_ms)
        if isinstance(frame, CallResult):
            return [Answered(message_id=message_id, payload=frame.payload)]
        return [
            Refused(
                message_id=message_id, code=frame.code, description=frame.description, details=frame.details
            )
        ]

    def _unreadable(self, problem: UnableToReadFrame, data: bytes, now_ms: int) -> list[Event]:
        self._garbled += 1
        if self._garbled > self._rules.garbled_limit:
            return [Broken(code=_POLICY, reason="too many unreadable frames")]
        events: list[Event] = [Garbled(reason=problem.reason, size=len(data))]
        match problem.kind, problem.message_id:
            case kind, message_id if kind in _ANSWER_KINDS:
                events += self._answered_unreadably(message_id, now_ms)
            case 2, message_id if message_id is not None:
                if problem.action in self._rules.never_refused:
                    assert problem.action is not None
                    call = Call(message_id=message_id, action=problem.action, payload=data)
                    return events + self._called(call)
                self._refuse(message_id, Fault.FORMATION_VIOLATION, problem.reason)
            case kind, message_id if self._rules.dialect.answers_unreadable:
                unknown_type = kind is not None and kind != _CALL_KIND
                fault = Fault.MESSAGE_TYPE_NOT_SUPPORTED if unknown_type else Fault.RPC_FRAMEWORK_ERROR
                self._refuse(UNREADABLE_ID if message_id is None else message_id, fault, problem.reason)
        return events

    def _answered_unreadably(self, message_id: str | int | None, now_ms: int) -> list[Event]:
        """An answer is never answered; ours stays of unknown outcome and stops blocking the queue."""
        if self._open is None or str(message_id) != str(self._open.call.message_id):
            return []
        self._open = None
        self._send_next(now_ms)
        return [Unanswered(message_id=str(message_id), reason="unreadable answer")]

    # --- outbound

    def _refuse(self, message_id: str | int, fault: Fault, description: str) -> None:
        code = self._rules.dialect.spell(fault)
        self._out.append(encode(CallError(message_id=message_id, code=code, description=description)))

    def _send_next(self, now_ms: int) -> None:
        if self._open is None and self._waiting:
            self._open = self._waiting.popleft()
            self._open.due_ms = now_ms + self._open.timeout_ms
            self._out.append(encode(self._open.call))


def _digest(call: Call) -> bytes:
    """Ids are reused by careless stations: only the same content under the same id is a repeat."""
    return hashlib.blake2b(call.action.encode() + b"\0" + call.payload, digest_size=16).digest()
