"""The dialling end: one line to a host, kept up for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tapwatt.rails.iso8583 import Message, Spec
from tapwatt.rails.link.line import Line, counting_stans, steady_clock
from tapwatt.rails.link.server import ignore, see_nothing
from tapwatt.rails.messages import HOUSE
from tapwatt.rails.mux import Unmatched, UnmatchedReason
from tapwatt.rails.partner import (
    HostObserver,
    HostWitness,
    LateHandler,
    NoAnswer,
    NotConnected,
    failure_text,
)
from tapwatt.rails.protocol import (
    Connection,
    ConnectionLimits,
    Event,
    LinkDown,
    MessageRejected,
    NotSignedOn,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    Role,
    SignedOn,
    UnmatchedReceived,
)
from tapwatt.traces import Direction, Mark


class HostClient:
    """Keeps one line to a host: dials, signs on, and dials again for ever when the line is lost.

    `on_late` gets every answer that fits no question in flight, such as an approval after its time-out;
    they are counted in `late_answers`. `observe` hears signed_on, down, broke, rejected, unmatched and
    dial_failed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        spec: Spec = HOUSE,
        now_ms: Callable[[], int] | None = None,
        limits: ConnectionLimits | None = None,
        forwarder_id: str = "",
        on_late: LateHandler | None = None,
        observe: HostObserver = ignore,
        witness: HostWitness = see_nothing,
        backoff_s: tuple[float, float] = (0.1, 5.0),
        dial_timeout_s: float = 5.0,
    ) -> None:
        self._host, self._port, self._spec = host, port, spec
        self._now_ms = now_ms or steady_clock()
        self._limits, self._forwarder_id = limits, forwarder_id
        self._on_late, self._observe, self._witness = on_late, observe, witness
        self._backoff_s, self._dial_timeout_s = backoff_s, dial_timeout_s
        self._stans = counting_stans()
        self._line: Line | None = None
        self._signed_on = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._task: asyncio.Task[None] | None = None
        self.late_answers = 0

    @property
    def connected(self) -> bool:
        """Whether a request could be sent now."""
        return self._signed_on.is_set()

    async def start(self) -> None:
        """Begin to dial; returns at once."""
        self._task = asyncio.create_task(self._keep_line())

    async def wait_connected(self, timeout_s: float) -> None:
        """Until signed on; NotConnected when that takes longer."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._signed_on.wait()
        except TimeoutError:
            raise NotConnected(f"no line to {self._host}:{self._port} after {timeout_s} s") from None

    async def stop(self) -> None:
        """Sign off and hang up. Requests in flight end with NoAnswer."""
        if self._task is None:
            return
        if self._line is not None:
            self._line.connection.sign_off(self._now_ms())
            await self._line.flush()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def request(self, message: Message, *, timeout_s: float) -> Message:
        """Send a request and wait for its answer.

        NotConnected, UnableToSend and UnableToEncode: nothing was sent. NoAnswer: it was, and the outcome
        is unknown.
        """
        if self._line is None or not self.connected:
            raise NotConnected(f"no line to {self._host}:{self._port}")
        try:
            timeout_ms = int(timeout_s * 1000)
            self._line.connection.request(message, now_ms=self._now_ms(), timeout_ms=timeout_ms)
        except NotSignedOn as error:
            raise NotConnected(str(error)) from error
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[id(message)] = future
        self._witness(Direction.SENT, message)
        self._line.push()
        try:
            return await future
        finally:
            self._waiting.pop(id(message), None)

    async def _keep_line(self) -> None:
        wait_s, longest_s = self._backoff_s
        while True:
            try:
                async with asyncio.timeout(self._dial_timeout_s):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError) as error:
                self._observe("dial_failed", error=type(error).__name__)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, longest_s)
                continue
            try:
                was_signed_on = await self._serve(reader, writer)
            except Exception as error:
                # Whatever it is: a client that has stopped dialling is gone until somebody restarts it.
                was_signed_on = False
                self._observe("broke", error=failure_text(error))
            wait_s = self._backoff_s[0] if was_signed_on else min(wait_s * 2, longest_s)
            await asyncio.sleep(wait_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One line from sign-on to its end; whether it ever was signed on."""
        connection = Connection(
            spec=self._spec,
            role=Role.CLIENT,
            stans=self._stans,
            now_ms=self._now_ms(),
            limits=self._limits,
            forwarder_id=self._forwarder_id,
        )
        self._line = Line(connection, reader, writer, self._now_ms)
        signed_on = False

        async def on_event(event: Event) -> None:
            nonlocal signed_on
            signed_on = signed_on or isinstance(event, SignedOn)
            await self._on_event(event)

        try:
            await self._line.run(on_event)
        finally:
            self._line = None
            self._signed_on.clear()
        return signed_on

    async def _on_event(self, event: Event) -> None:
        match event:
            case SignedOn():
                self._signed_on.set()
                self._observe("signed_on")
            case ResponseReceived(request, answer):
                self._witness(Direction.RECEIVED, answer)
                await self._answered(request, answer)
            case RequestTimedOut(request):
                self._fail(request, "no answer in time")
            case LinkDown(reason, unanswered):
                self._signed_on.clear()
                self._observe("down", reason=reason)
                for request in unanswered:
                    self._fail(request, f"the line went down: {reason}")
            case UnmatchedReceived(unmatched):
                self._witness(Direction.RECEIVED, unmatched.message, Mark.LATE)
                await self._late(unmatched)
            case MessageRejected(reason):
                self._observe("rejected", reason=reason)
            case RequestReceived(message):
                self._observe("rejected", reason=f"a {message.mti} from a host that should only answer")

    async def _answered(self, request: Message, answer: Message) -> None:
        future = self._waiting.get(id(request))
        if future is not None and not future.done():
            future.set_result(answer)
            return
        # Whoever asked has gone: to the business this is a late answer like any other.
        await self._late(Unmatched(message=answer, reason=UnmatchedReason.LATE, received_ms=self._now_ms()))

    async def _late(self, unmatched: Unmatched) -> None:
        self.late_answers += 1
        self._observe("unmatched", reason=unmatched.reason)
        if self._on_late is None:
            return
        try:
            await self._on_late(unmatched)
        except Exception as error:  # the line must outlive what the business makes of a late answer
            self._observe("handler_failed", error=failure_text(error))

    def _fail(self, request: Message, reason: str) -> None:
        self._witness(Direction.AWAITED, request, Mark.UNANSWERED)
        future = self._waiting.get(id(request))
        if future is not None and not future.done():
            future.set_exception(NoAnswer(reason))
