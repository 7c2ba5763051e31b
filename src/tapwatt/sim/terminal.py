"""The payment terminal as a device: one command at a time, its screen, its reader and its own host side.

Speaks ZVT to whoever leads it and ISO 8583 to its gateway (reference/terminals.md sections 4.2 to 4.5). What
money did is committed before the edge hears of it; a dialogue that breaks changes nothing about that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tapwatt.rails.keys import PanCipher
from tapwatt.rails.sandbox import Network
from tapwatt.sim import card as cards
from tapwatt.sim.bell import Bell
from tapwatt.sim.card import Medium, Reader
from tapwatt.sim.faults import Faults
from tapwatt.sim.terminal_money import TerminalMoney
from tapwatt.terminals.messages import CardKind, CardRead
from tapwatt.terminals.zvt.answers import registration_message, state_message
from tapwatt.terminals.zvt.link import Dialogue
from tapwatt.terminals.zvt.messages import OPEN_LIST_RECEIPT, Command

ABORTED: Final = 0x6C
NOT_REGISTERED: Final = 0x6B
WRONG_CURRENCY: Final = 0x6F
UNSUPPORTED: Final = 0x83
DAY_END_IMPOSSIBLE: Final = 0x77
READ_SECONDS: Final = 15
CARD_KEPT_S: Final = 60.0
"""A card read in a card session may be used by the payment that follows so long."""
_LINES: Final = 8
_HOLD_CARD: Final = 0x0A


class Terminal:
    """The device's brain; give `serve` to a TerminalLink."""

    def __init__(
        self,
        *,
        tid: str,
        network: Network,
        money: TerminalMoney,
        reader: Reader,
        cipher: PanCipher,
        faults: Faults,
        bell: Bell,
    ) -> None:
        self.screen: tuple[str, ...] = ()
        self.shown = 0
        """How many texts were shown so far: a driver sees that the screen has changed."""
        self.registered = False
        self.doing = ""
        self.cut: Callable[[], Awaitable[None]] | None = None
        """Breaks the line to the edge, for the fault of that name."""
        self.witness: Callable[[str], None] | None = None
        """Hears the receipt number of each hold that whoever leads us has acknowledged."""
        self._tid = tid
        self._currency = network.merchant(network.terminal(tid).merchant_id).currency
        self._money = money
        self._reader = reader
        self._cipher = cipher
        self._faults = faults
        self._bell = bell
        self._tapped: tuple[Medium, float] | None = None

    async def serve(self, dialogue: Dialogue) -> None:
        """Take one command through."""
        if self._faults.terminal_mute:
            await self._bell.until(lambda: not self._faults.terminal_mute, 3_600)
            return
        if self._faults.terminal_restarts:
            self._faults.terminal_restarts = False
            await self.reboot()
            return
        control = dialogue.message.control
        serving = _SERVED.get(control)
        if serving is None:
            await dialogue.refuse(UNSUPPORTED)
            return
        if control in _NEED_REGISTRATION and not self.registered:
            await dialogue.refuse(NOT_REGISTERED)
            return
        self.doing = dialogue.message.name
        self._bell.ring()
        try:
            await serving(self, dialogue)
        finally:
            self.doing = ""
            self._bell.ring()

    # --- set-up, state, screen

    async def reboot(self) -> None:
        """Power off and on: what is booked stays, who leads it has to register again."""
        self.registered = False
        self.screen = ()
        self._tapped = None
        if self.cut is not None:
            await self.cut()

    async def _register(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        currency = dialogue.message.text("currency") or self._currency
        if currency != self._currency:
            await dialogue.abort(WRONG_CURRENCY)
            return
        self.registered = True
        await dialogue.say(registration_message(tid=self._tid, currency=self._currency))

    async def _status(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.say(state_message(tid=self._tid))

    async def _display(self, dialogue: Dialogue) -> None:
        lines = (dialogue.message.text(f"line_{number}") for number in range(1, _LINES + 1))
        self.screen = tuple(line for line in lines if line)
        self.shown += 1
        await dialogue.accept()

    async def _close_card_session(self, dialogue: Dialogue) -> None:
        self._tapped = None
        await dialogue.accept()

    async def _nothing_to_do(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        if dialogue.message.control != Command.LOG_OFF:
            await dialogue.complete()

    async def _end_of_day(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        if await self._money.open_receipts():
            await dialogue.abort(DAY_END_IMPOSSIBLE)
        else:
            await dialogue.complete()

    # --- cards

    async def _read_card(self, dialogue: Dialogue) -> None:
        self._tapped = None
        await dialogue.accept()
        medium = await self._tap(dialogue, dialogue.message.number("timeout_s") or READ_SECONDS)
        if medium is None:
            await dialogue.abort(ABORTED, by_ecr=dialogue.abort_requested.is_set())
        elif medium.is_bank_card:
            self._tapped = (medium, asyncio.get_running_loop().time())
            await dialogue.status(self._card_read(medium))
        else:
            await dialogue.status(CardRead(kind=CardKind.RFID, uid=medium.uid))

    def _card_read(self, medium: Medium) -> CardRead:
        test_card = cards.find(medium.card)
        return CardRead(
            kind=CardKind.BANK,
            token=cards.token(test_card, self._cipher),
            par=test_card.par,
            aid=cards.aid(test_card),
            brand=cards.brand(test_card),
            masked_pan=cards.masked(test_card),
        )

    async def _tap(self, dialogue: Dialogue, seconds: float) -> Medium | None:
        """The medium held to the reader before the time is over, the edge gives up or goes away."""
        reading = asyncio.create_task(self._reader.read(seconds))
        ends = [asyncio.create_task(each.wait()) for each in (dialogue.abort_requested, dialogue.gone)]
        try:
            await asyncio.wait([reading, *ends], return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else None
        finally:
            for task in (reading, *ends):
                task.cancel()
            await asyncio.gather(reading, *ends, return_exceptions=True)

    # --- money

    async def _preauthorise(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        fault = self._money.objection(dialogue.message)
        if fault is not None:
            await dialogue.abort(fault)
            return
        medium = self._card_at_hand()
        if self._faults.driver_cancels:
            self._faults.driver_cancels = False
            await dialogue.abort(ABORTED)
            return
        if medium is None:
            await dialogue.intermediate(_HOLD_CARD)
            medium = await self._tap(dialogue, dialogue.message.number("timeout_s") or READ_SECONDS * 2)
        if medium is None:
            await dialogue.abort(ABORTED, by_ecr=dialogue.abort_requested.is_set())
            return
        if not medium.is_bank_card:
            await dialogue.abort(0x65)
            return
        approval = await self._money.authorise(dialogue, cards.find(medium.card))
        if approval is None:
            return
        await dialogue.status(approval)
        if self.witness is not None:
            self.witness(approval.receipt)
        if self._faults.cut_before_completion and self.cut is not None:
            self._faults.cut_before_completion = False
            await self.cut()
        await dialogue.complete()

    def _card_at_hand(self) -> Medium | None:
        tapped, self._tapped = self._tapped, None
        if tapped is None or asyncio.get_running_loop().time() - tapped[1] > CARD_KEPT_S:
            return None
        return tapped[0]

    async def _partial_reversal(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        if dialogue.message.text("receipt") == OPEN_LIST_RECEIPT:
            await self._money.tell_open(dialogue)
        else:
            await self._money.capture(dialogue)

    async def _book_total(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        await self._money.book_total(dialogue)

    async def _release(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        await self._money.release(dialogue)


_SERVED: Final[dict[int, Callable[[Terminal, Dialogue], Awaitable[None]]]] = {
    Command.REGISTRATION: Terminal._register,
    Command.STATUS_ENQUIRY: Terminal._status,
    Command.DISPLAY_TEXT: Terminal._display,
    Command.READ_CARD: Terminal._read_card,
    Command.CLOSE_CARD_SESSION: Terminal._close_card_session,
    Command.PREAUTHORISATION: Terminal._preauthorise,
    Command.PARTIAL_REVERSAL: Terminal._partial_reversal,
    Command.BOOK_TOTAL: Terminal._book_total,
    Command.PREAUTHORISATION_REVERSAL: Terminal._release,
    Command.END_OF_DAY: Terminal._end_of_day,
    Command.DIAGNOSIS: Terminal._nothing_to_do,
    Command.INITIALISATION: Terminal._nothing_to_do,
    Command.LOG_OFF: Terminal._nothing_to_do,
    Command.SELECT_LANGUAGE: Terminal._close_card_session,
}
_NEED_REGISTRATION: Final = frozenset(
    {
        Command.READ_CARD,
        Command.PREAUTHORISATION,
        Command.PARTIAL_REVERSAL,
        Command.BOOK_TOTAL,
        Command.PREAUTHORISATION_REVERSAL,
        Command.END_OF_DAY,
    }
)
