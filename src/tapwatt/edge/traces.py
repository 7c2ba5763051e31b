"""What goes over the terminals' wires, told to the platform for people to read.

The edge has no pages of its own, so it keeps nothing: what the platform has not accepted yet waits in memory,
bounded, and is lost when the edge dies. The journal, not this, is what money rests on.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import structlog

from tapwatt.edge.teller import UNHEARD
from tapwatt.edge.wires import Platform
from tapwatt.terminals.zvt.codec import describe
from tapwatt.terminals.zvt.messages import ACKNOWLEDGEMENTS, OPEN_LIST_RECEIPT, Command, Message
from tapwatt.uplink.messages import Traced, TracedMessage

TELL_S: Final = 0.3
AGAIN_S: Final = 2.0
MOST_WAITING: Final = 2_000
MOST_AT_ONCE: Final = 50
_FIELDS_CHARACTERS: Final = 1_500
_REFUSED, _NONE = "refused", ""
_IDLE: Final = frozenset({Command.READ_CARD, Command.ABORT})

log = structlog.get_logger("tapwatt.edge")


class TerminalTraces:
    """The witness of all terminals' wires. `running(terminal_id)` is the key of the operation there."""

    def __init__(
        self,
        platform: Platform,
        *,
        run: str,
        running: Callable[[str], str],
        now_ms: Callable[[], int],
        timeout_s: float,
    ) -> None:
        self.dropped = 0
        self._platform, self._run, self._running = platform, run, running
        self._now_ms, self._timeout_s = now_ms, timeout_s
        self._waiting: deque[TracedMessage] = deque()
        self._idle: dict[str, list[TracedMessage]] = {}
        self._number = 0
        self._telling: asyncio.Task[None] | None = None

    def saw(self, terminal_id: str, direction: str, message: Message) -> None:
        """A whole message passed. Reading cards is told of only when a card came."""
        seen = _traced(
            message,
            terminal_id=terminal_id,
            direction=direction,
            key=self._running(terminal_id),
            at_ms=self._now_ms(),
        )
        if direction == "sent" and message.control == Command.READ_CARD:
            self._idle[terminal_id] = [seen]
            return
        idle = self._idle.get(terminal_id)
        if idle is not None and message.control in (*ACKNOWLEDGEMENTS, *_IDLE, Command.ABORTED):
            idle.append(seen)
            del idle[8:]
            return
        del idle
        read = self._idle.pop(terminal_id, [])
        if message.control == Command.STATUS_INFORMATION:
            self._tell(*read)
        self._tell(seen)

    async def stop(self) -> None:
        """Forget what was not told."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    def _tell(self, *seen: TracedMessage) -> None:
        self._waiting.extend(seen)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._number += 1
            self.dropped += 1
        if self._telling is None and self._waiting:
            self._telling = asyncio.create_task(self._tell_all(), name="traces")

    async def _tell_all(self) -> None:
        try:
            await asyncio.sleep(TELL_S)
            while self._waiting:
                await self._tell_some()
        finally:
            self._telling = None

    async def _tell_some(self) -> None:
        number = self._number
        some = tuple(self._waiting[place] for place in range(min(MOST_AT_ONCE, len(self._waiting))))
        try:
            await self._platform.wait_connected(self._timeout_s)
            await self._platform.call(
                Traced(run=self._run, number=number, messages=some), timeout_s=self._timeout_s
            )
        except UNHEARD:
            await asyncio.sleep(AGAIN_S)
            return
        # Meanwhile the oldest may have been dropped; what is accepted or refused is not told again.
        for _ in range(max(0, number + len(some) - self._number)):
            self._waiting.popleft()
            self._number += 1


def _traced(message: Message, *, terminal_id: str, direction: str, key: str, at_ms: int) -> TracedMessage:
    fields = json.dumps(_masked(describe(message)), ensure_ascii=False, default=str)
    if len(fields) > _FIELDS_CHARACTERS:
        fields = json.dumps({"too long to keep": f"{len(fields)} characters"})
    return TracedMessage(
        at_ms=at_ms,
        direction=direction,
        terminal_id=terminal_id,
        wire="zvt",
        name=_name(message),
        amount_minor=message.number("amount_minor"),
        currency=message.text("currency"),
        mark=_REFUSED if _refuses(message) else _NONE,
        reference=message.text("reference"),
        key=key,
        fields=fields,
    )


def _name(message: Message) -> str:
    number = f"{message.control >> 8:02X} {message.control & 0xFF:02X}"
    if message.control == Command.POSITIVE:
        return "80 00 understood"
    if message.control == Command.PARTIAL_REVERSAL and OPEN_LIST_RECEIPT in message.texts("receipt"):
        return f"{number} open holds?"
    return f"{number} {message.name.replace('_', ' ')}"


def _refuses(message: Message) -> bool:
    if message.control in (Command.ABORTED, Command.NEGATIVE):
        return True
    return message.control == Command.STATUS_INFORMATION and bool(message.number("result_code"))


def _masked(shown: Any) -> Any:
    """Above the rails a card has no more than its last four digits and its brand (law 7)."""
    if isinstance(shown, dict):
        return {
            name: f"…{str(value)[-4:]}" if name == "masked_pan" else _masked(value)
            for name, value in shown.items()
            if name != "expiry"
        }
    if isinstance(shown, list):
        return [_masked(each) for each in shown]
    return shown
