"""One live WebSocket with a `Peer` inside: calls out, handler in. Used by both roles.

Three tasks each: the reader feeds the peer, the worker handles the other side's CALLs in order, the writer
sends. So a handler may itself `call` while the reader goes on, and a peer that reads slowly blocks nobody.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Final, assert_never
from uuid import uuid4

import structlog
from websockets.asyncio.connection import Connection as WebSocket
from websockets.exceptions import ConnectionClosed

from tapwatt.rpc.messages import (
    Answered,
    Broken,
    Called,
    CallFailed,
    CallRefused,
    Event,
    Fault,
    Garbled,
    NoAnswer,
    NotConnected,
    NotSent,
    Refused,
    Repeated,
    Unanswered,
    Unmatched,
)
from tapwatt.rpc.protocol import Peer, QueueFull, Rules
from tapwatt.traces import Direction

Handler = Callable[["Connection", str, bytes], Awaitable[bytes]]
"""Gets the connection, the action and the payload's JSON text; returns the answer's JSON text."""
Witness = Callable[[Direction, str, bytes], None]
"""Sees every frame as it passes, with the other side's identity; AWAITED gives the id of a CALL that stays
without an answer. It must not wait and cannot fail."""

FRAMES_UNSENT: Final = 256
FINISH_S: Final = 5.0
REASON_BYTES: Final = 120  # a close frame carries at most 123 bytes of reason
_WITHHELD, _NOT_READING, _NO_BINARY = 1011, 1008, 1003
log = structlog.get_logger("tapwatt.rpc")


def see_nothing(_direction: Direction, _identity: str, _frame: bytes) -> None:
    """The witness that looks away."""


def _new_id() -> str:
    return str(uuid4())


class Connection:
    """One open connection; `call` asks the other side. Ends by itself with the socket."""

    def __init__(
        self,
        socket: WebSocket,
        *,
        identity: str,
        handler: Handler,
        rules: Rules,
        answer_within_s: float = 30.0,
        new_id: Callable[[], str] = _new_id,
        witness: Witness = see_nothing,
    ) -> None:
        self.identity = identity
        self.remote = _address(socket)
        self.subprotocol: str | None = socket.subprotocol
        self.closed_because = ""
        self._socket = socket
        self._handler = handler
        self._rules = rules
        self._peer = Peer(rules)
        self._answer_within_s = answer_within_s
        self._new_id = new_id
        self._witness = witness
        self._answers: dict[str, asyncio.Future[bytes]] = {}
        self._inbound: asyncio.Queue[Called] = asyncio.Queue()  # bounded by Rules.calls_in_hand
        self._outbound: asyncio.Queue[bytes] = asyncio.Queue()  # bounded by FRAMES_UNSENT
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return bool(self.closed_because)

    async def call(
        self, action: str, payload: bytes, *, timeout_s: float = 30.0, message_id: str | None = None
    ) -> bytes:
        """Ask and wait. Raises CallFailed (a CALLERROR), NoAnswer (unknown) or NotConnected (never sent).
        Who repeats a CALL gives the `message_id` it had: the other side then knows it again."""
        if self.closed:
            raise NotConnected(self.closed_because)
        message_id = message_id or self._new_id()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            self._peer.call(
                message_id=message_id,
                action=action,
                payload=payload,
                now_ms=_now_ms(),
                timeout_ms=max(1, int(timeout_s * 1000)),
            )
        except QueueFull as problem:
            raise NotConnected(str(problem)) from problem
        self._answers[message_id] = answer
        self._flush()
        try:
            return await answer
        finally:
            self._answers.pop(message_id, None)
            self._peer.withdraw(message_id)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection; whoever waits for an answer learns it at once."""
        self._give_up(reason or "closed by us")
        await self._socket.close(code, _short(reason))

    async def run(self) -> str:
        """Serve until the socket ends; returns why it ended."""
        worker = asyncio.create_task(self._work())
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            self._give_up(_why(self._socket))
            writer.cancel()
            await self._finish(worker)
            await asyncio.gather(writer, return_exceptions=True)
            if self._closing is not None:
                await asyncio.gather(self._closing, return_exceptions=True)
        return self.closed_because

    # --- tasks

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                if isinstance(data, bytes):
                    self._break(_NO_BINARY, "binary frames are not spoken here")
                    return
                frame = data.encode()
                self._witness(Direction.RECEIVED, self.identity, frame)
                self._take(self._peer.receive(frame, _now_ms()))
                if self.closed:
                    return
        except ConnectionClosed:
            return

    async def _write(self) -> None:
        try:
            while True:
                await self._socket.send(await self._outbound.get(), text=True)
        except ConnectionClosed:
            return

    async def _work(self) -> None:
        """The other side's CALLs, in order; what is in hand when the socket ends is still finished."""
        while not self.closed:
            called = await self._inbound.get()
            if not self.closed:
                await self._serve(called)

    async def _serve(self, called: Called) -> None:
        try:
            async with asyncio.timeout(self._answer_within_s):
                payload = await self._handler(self, called.action, called.payload)
        except CallRefused as refusal:
            self._fail(called, refusal.fault, refusal.description)
        except Exception as problem:
            # Whatever our own code throws is our fault, never the other side's. The trace is made here,
            # because a log renderer may show local variables, and these hold payloads.
            trace = "".join(traceback.format_exception(problem))
            log.error("handler failed", identity=self.identity, action=called.action, trace=trace)
            self._fail(called, Fault.INTERNAL_ERROR, "not handled")
        else:
            self._peer.answer(called.message_id, payload)
            self._flush()

    async def _finish(self, worker: asyncio.Task[None]) -> None:
        """A handler in the middle of its work may finish; an idle worker just waits for the next CALL."""
        self._inbound.put_nowait(Called(message_id="", action="", payload=b""))
        _, unfinished = await asyncio.wait({worker}, timeout=FINISH_S)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    # --- events

    def _take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Called():
                    self._inbound.put_nowait(event)
                case Answered(message_id=message_id, payload=payload):
                    self._settle(message_id, payload)
                case Refused(message_id=message_id, code=code, description=text, details=details):
                    self._settle(message_id, CallFailed(code, text, details))
                case Unanswered(message_id=message_id, reason=reason):
                    self._witness(Direction.AWAITED, self.identity, message_id.encode())
                    self._settle(message_id, NoAnswer(reason))
                case NotSent(message_id=message_id, reason=reason):
                    self._settle(message_id, NotConnected(reason))
                case Broken(code=code, reason=reason):
                    self._break(code, reason)
                case Unmatched(frame=frame):
                    log.info("answer to no open call", identity=self.identity, frame=type(frame).__name__)
                case Repeated(action=action):
                    log.info("call repeated", identity=self.identity, action=action)
                case Garbled(reason=reason, size=size):
                    log.warning("unreadable frame", identity=self.identity, reason=reason, size=size)
                case _:
                    assert_never(event)
        self._flush()

    def _settle(self, message_id: str, outcome: bytes | Exception) -> None:
        answer = self._answers.get(message_id)
        if answer is None or answer.done():
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _fail(self, called: Called, fault: Fault, description: str) -> None:
        if called.action in self._rules.never_refused:
            # No answer and no connection: the sender keeps its message and brings it again.
            self._break(_WITHHELD, f"{called.action} could not be kept")
            return
        self._peer.refuse(called.message_id, fault, description)
        self._flush()

    def _flush(self) -> None:
        for frame in self._peer.frames_to_send():
            self._witness(Direction.SENT, self.identity, frame)
            self._outbound.put_nowait(frame)
        if self._outbound.qsize() > FRAMES_UNSENT:
            self._break(_NOT_READING, "answers are not read")
        self._arm()

    def _arm(self) -> None:
        """One timer per connection, set to the peer's next deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self._peer.next_due_ms
        if due_ms is not None and not self.closed:
            delay_s = max(0, due_ms - _now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._take(self._peer.tick(_now_ms()))

    def _break(self, code: int, reason: str) -> None:
        log.warning("connection closed by us", identity=self.identity, reason=reason)
        self._give_up(reason)
        if self._closing is None:
            self._closing = asyncio.create_task(self._socket.close(code, _short(reason)))

    def _give_up(self, reason: str) -> None:
        if self.closed:
            return
        self.closed_because = reason or "connection lost"
        self._take(self._peer.lost(self.closed_because))


def _now_ms() -> int:
    """Monotonic: only differences count here."""
    return int(asyncio.get_running_loop().time() * 1000)


def _short(reason: str) -> str:
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")


def _why(socket: WebSocket) -> str:
    code, reason = socket.close_code, socket.close_reason
    return f"{reason} ({code})" if reason else f"connection lost ({code})"


def _address(socket: WebSocket) -> str:
    address = socket.remote_address
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
