"""The terminal's money dialogues: hold, capture, release, and the list of what is open.

The host side belongs to the terminal: 0100 now, 0220 and 0420 from its own store-and-forward. A silent
gateway is reversed before the edge is told no; a missing line reverses nothing, since nothing was sent
(reference/rails.md section 2.4, flows 6 to 9).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from tapwatt.rails.additional import HOLD_FLAGS
from tapwatt.rails.iso8583 import Message as HostMessage
from tapwatt.rails.iso8583.message import MissingField
from tapwatt.rails.iso8583.walk import UnableToEncode
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.messages import (
    APPROVAL_CODE,
    RESPONSE_CODE,
    UnableToRead,
    amount_minor,
    text_or_empty,
)
from tapwatt.rails.mux import UnableToSend
from tapwatt.rails.partner import HostCaller, NoAnswer, NotConnected
from tapwatt.rails.responses import approves, meaning_of
from tapwatt.rails.sandbox import Network, SandboxCard
from tapwatt.sim import books
from tapwatt.sim import card as cards
from tapwatt.sim.bell import Bell
from tapwatt.sim.books import Begun, PaymentState
from tapwatt.store import Database, Row, Transaction, UnableToQueue, UnableToStore
from tapwatt.terminals.messages import Approved
from tapwatt.terminals.profiles import Profile
from tapwatt.terminals.zvt.answers import open_list_message
from tapwatt.terminals.zvt.link import Dialogue, DialogueEnded
from tapwatt.terminals.zvt.messages import Message

PROCESSING_ERROR: Final = 0x66
WRONG_CURRENCY: Final = 0x6F
NO_ANSWER: Final = 0xA1
NO_CONNECTION: Final = 0xA3
MEMORY_FULL: Final = 0xB1
ALREADY_REVERSED: Final = 0xB4
AMOUNT_DOES_NOT_FIT: Final = 0xB7
NO_SUCH_HOLD: Final = 0xB8
ABOVE_MAXIMUM: Final = 0xC3
AMOUNT_TOO_SMALL: Final = 0xC8
_DECLINED: Final = 0x05
_LAST_HOST_CODE: Final = 0x63
_WAITS_FOR_HOST: Final = 0x04
_NO_ROOM_S: Final = 1.0
_CONTACTLESS: Final = "contactless"

log = structlog.get_logger("tapwatt.sim")


class TerminalMoney:
    """What the terminal does with money, for one dialogue at a time."""

    def __init__(
        self,
        database: Database,
        gateway: HostCaller,
        *,
        tid: str,
        network: Network,
        profile: Profile,
        cipher: PanCipher,
        bell: Bell,
        timeout_s: float,
        chance: Callable[[int], bytes],
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._acceptor = network.acceptor(tid)
        merchant = network.merchant(self._acceptor.merchant_id)
        self._currency = (merchant.currency, merchant.currency_numeric)
        self._limits = profile.limits
        self._cipher = cipher
        self._bell = bell
        self._timeout_s = timeout_s
        self._chance = chance
        self._now_ms = now_ms

    # --- a hold

    def objection(self, asked: Message) -> int | None:
        """The result code of a hold that makes no sense here, None when it does."""
        amount = asked.number("amount_minor") or 0
        if (asked.text("currency") or self._currency[0]) != self._currency[0]:
            return WRONG_CURRENCY
        if amount < self._limits.get("hold_minor_min", 1):
            return AMOUNT_TOO_SMALL
        return ABOVE_MAXIMUM if amount > self._limits.get("hold_minor_max", amount) else None

    async def authorise(self, dialogue: Dialogue, test_card: SandboxCard) -> Approved | None:
        """Ask the bank; the approval, committed, or None when the edge has been told no."""
        if len(await self.open_receipts()) >= books.MOST_OPEN:
            await dialogue.abort(MEMORY_FULL)
            return None
        begun = await self._database.write(partial(self._begin, dialogue.message, test_card))
        self._bell.ring()
        try:
            return await self._ask_bank(dialogue, begun, test_card)
        except (UnableToStore, UnableToQueue):
            await self._take_back(begun)
            raise

    async def _ask_bank(self, dialogue: Dialogue, begun: Begun, test_card: SandboxCard) -> Approved | None:
        with contextlib.suppress(DialogueEnded):  # a device asks its host, whoever still listens
            await dialogue.intermediate(_WAITS_FOR_HOST)
        answer = await self._asked(begun)
        self._bell.ring()
        if isinstance(answer, int):
            await dialogue.abort(answer)
            return None
        code = text_or_empty(answer, RESPONSE_CODE)
        if not approves(code):
            await self._ended(begun, PaymentState.DECLINED, code)
            await dialogue.abort(result_of(code), meaning_of(code).driver_text)
            return None
        return await self._approved(begun, answer, test_card)

    async def _take_back(self, begun: Begun) -> None:
        """The answer could not be stored, so it was never there: as soon as there is room, take it back."""
        while True:
            try:
                await self._database.write(
                    lambda tx: books.silent(tx, begun.payment_id, now_ms=self._now_ms())
                )
            except UnableToStore as error:
                log.error("no room to take a hold back", stan=begun.stan, reason=str(error))
                await asyncio.sleep(_NO_ROOM_S)
            else:
                self._bell.ring()
                return

    def _begin(self, asked: Message, test_card: SandboxCard, tx: Transaction) -> Begun:
        return books.begin(
            tx,
            test_card=test_card,
            acceptor=self._acceptor,
            amount_minor=asked.number("amount_minor") or 0,
            currency=self._currency,
            reference=asked.text("reference"),
            additional=HOLD_FLAGS,
            unpredictable=self._chance(4),
            now_ms=self._now_ms(),
        )

    async def _asked(self, begun: Begun) -> HostMessage | int:
        """The gateway's answer, or the result code of none; what that means is committed."""
        try:
            answer = await self._gateway.request(begun.request, timeout_s=self._timeout_s)
            answer.text(RESPONSE_CODE)
            amount_minor(answer)
            return answer
        except NotConnected:
            await self._ended(begun, PaymentState.NOT_SENT, "")
            return NO_CONNECTION
        except (UnableToSend, UnableToEncode) as error:
            log.error("a request could not be sent", reason=str(error))
            await self._ended(begun, PaymentState.NOT_SENT, "")
            return PROCESSING_ERROR
        except (NoAnswer, MissingField, UnableToRead) as error:
            log.warning("no usable answer to a hold: taking it back", stan=begun.stan, reason=str(error))
            await self._database.write(lambda tx: books.silent(tx, begun.payment_id, now_ms=self._now_ms()))
            return NO_ANSWER

    async def _ended(self, begun: Begun, state: PaymentState, code: str) -> None:
        await self._database.write(
            lambda tx: books.ended(tx, begun.payment_id, state, code=code, now_ms=self._now_ms())
        )
        self._bell.ring()

    async def _approved(self, begun: Begun, answer: HostMessage, test_card: SandboxCard) -> Approved:
        approval_code = text_or_empty(answer, APPROVAL_CODE)
        await self._database.write(
            lambda tx: books.approved(
                tx,
                begun.payment_id,
                amount_minor=amount_minor(answer),
                code=answer.text(RESPONSE_CODE),
                approval_code=approval_code,
                now_ms=self._now_ms(),
            )
        )
        self._bell.ring()
        return Approved(
            receipt=begun.receipt,
            amount_minor=amount_minor(answer),
            currency=self._currency[0],
            trace=begun.stan,
            tid=self._acceptor.terminal_id,
            approval_code=approval_code,
            token=cards.token(test_card, self._cipher),
            par=test_card.par,
            brand=cards.brand(test_card),
            masked_pan=cards.masked(test_card),
            technology=_CONTACTLESS,
            merchant_id=self._acceptor.merchant_id,
        )

    # --- its end

    async def capture(self, dialogue: Dialogue) -> None:
        """Partial reversal: the amount is what is given back, the rest of the hold is taken."""
        back_minor = dialogue.message.number("amount_minor")

        def taken(hold_minor: int) -> int | None:
            return None if back_minor is None else hold_minor - back_minor

        await self._capture(dialogue, taken)

    async def book_total(self, dialogue: Dialogue) -> None:
        """Book total: the amount is what is taken, the rest of the hold goes back."""
        used_minor = dialogue.message.number("amount_minor")
        await self._capture(dialogue, lambda _: used_minor)

    async def _capture(self, dialogue: Dialogue, taken: Callable[[int], int | None]) -> None:
        asked = dialogue.message

        def work(tx: Transaction) -> tuple[Row, str] | int:
            payment = books.by_receipt(tx, asked.text("receipt"))
            if (fault := self._unfit(payment, asked)) is not None or payment is None:
                return NO_SUCH_HOLD if fault is None else fault
            taken_minor = taken(payment.authorised_minor)
            # Giving everything back is a release and has its own command.
            if taken_minor is None or not 0 < taken_minor <= payment.authorised_minor:
                return AMOUNT_DOES_NOT_FIT
            return payment, books.capture(tx, payment, amount_minor=taken_minor, now_ms=self._now_ms())

        await self._conclude(dialogue, await self._database.write(work), asked.number("amount_minor"))

    async def release(self, dialogue: Dialogue) -> None:
        """Pre-authorisation reversal: the whole hold goes back."""
        asked = dialogue.message

        def work(tx: Transaction) -> tuple[Row, str] | int:
            payment = books.by_receipt(tx, asked.text("receipt"))
            if (fault := self._unfit(payment, asked)) is not None or payment is None:
                return NO_SUCH_HOLD if fault is None else fault
            return payment, books.release(tx, payment, now_ms=self._now_ms())

        await self._conclude(dialogue, await self._database.write(work), None)

    def _unfit(self, payment: Row | None, asked: Message) -> int | None:
        if payment is None:
            return NO_SUCH_HOLD
        if payment.state != PaymentState.OPEN:
            return ALREADY_REVERSED
        wrong = (asked.text("currency") or payment.currency) != payment.currency
        return WRONG_CURRENCY if wrong else None

    async def _conclude(
        self, dialogue: Dialogue, done: tuple[Row, str] | int, stated_minor: int | None
    ) -> None:
        self._bell.ring()
        if isinstance(done, int):
            await dialogue.abort(done)
            return
        payment, trace = done
        await dialogue.status(
            Approved(
                receipt=payment.receipt,
                amount_minor=payment.authorised_minor if stated_minor is None else stated_minor,
                currency=payment.currency,
                trace=trace,
                tid=payment.tid,
                masked_pan=payment.masked_pan,
                merchant_id=self._acceptor.merchant_id,
            )
        )
        await dialogue.complete()

    # --- what is open

    async def tell_open(self, dialogue: Dialogue) -> None:
        """Answer the query for open reservations: 061E B8 with their receipt numbers."""
        await dialogue.say(open_list_message(await self.open_receipts()))

    async def open_receipts(self) -> tuple[str, ...]:
        """The receipt numbers of the open reservations."""
        return await self._database.read(books.open_receipts)


def result_of(code: str) -> int:
    """A host's two-character answer as ZVT's result byte: the same number, in binary."""
    number = int(code) if code.isascii() and code.isdigit() else _DECLINED
    return number if 0 < number <= _LAST_HOST_CODE else _DECLINED
