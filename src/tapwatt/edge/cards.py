"""Cards held to an idle terminal: offered to the platform once, and what the driver sees if that fails.

Presenting a card is not money: it is offered for some seconds and then dropped, with a text (design.md
section 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from tapwatt.core.ids import symbols
from tapwatt.edge.patience import Patience
from tapwatt.edge.teller import Teller
from tapwatt.rpc.messages import NotConnected
from tapwatt.terminals import messages as terminal
from tapwatt.uplink.messages import CardKind, CardPresented

NOT_AVAILABLE = "Not available now"
TRY_LATER = "Please try again later"
NOT_ACCEPTED = "Card not accepted"

log = structlog.get_logger("tapwatt.edge")


class Cards:
    """The cards of one terminal."""

    def __init__(
        self,
        terminal_id: str,
        *,
        teller: Teller,
        show: Callable[[tuple[str, ...]], None],
        settled: Callable[[], None],
        patience: Patience,
        chance: Callable[[int], bytes],
        now_ms: Callable[[], int],
    ) -> None:
        """`show` puts a text on the terminal, `settled` says that reading may have become possible again."""
        self._terminal_id = terminal_id
        self._teller = teller
        self._show = show
        self._settled = settled
        self._patience = patience
        self._chance = chance
        self._now_ms = now_ms
        self._last: tuple[str, int] = ("", 0)
        self._wait_until_ms = 0
        self._presenting: asyncio.Task[None] | None = None

    @property
    def open_again_ms(self) -> int | None:
        """When the next card may be read; None: not known yet, a card is being presented."""
        return None if self._presenting is not None else self._wait_until_ms

    def used(self, token: str) -> None:
        """A card was just used in an operation: lying on the reader it must not be taken for a new tap."""
        self._wait_until_ms = 0
        if token:
            self._last = (token, self._now_ms())

    def read(self, card: terminal.CardRead) -> None:
        """A card was read: offer it to the platform, unless it is the same one that still lies there."""
        if card.kind is terminal.CardKind.NONE or self._presenting is not None:
            return
        identity = card.token or card.uid
        now_ms = self._now_ms()
        same = identity != "" and identity == self._last[0]
        recent = now_ms - self._last[1] < self._patience.same_card_s * 1000
        self._last = (identity, now_ms)
        if same and recent:
            return
        self._presenting = asyncio.create_task(self._present(card))
        self._presenting.add_done_callback(self._presented)

    async def stop(self) -> None:
        """Forget the card that is being presented."""
        if self._presenting is not None:
            self._presenting.cancel()
            await asyncio.gather(self._presenting, return_exceptions=True)

    def _presented(self, task: asyncio.Task[None]) -> None:
        self._presenting = None
        if not task.cancelled():
            task.result()  # a mistake of ours must be heard
        self._settled()

    async def _present(self, card: terminal.CardRead) -> None:
        bank = card.kind is terminal.CardKind.BANK
        message = CardPresented(
            key="C" + symbols(self._chance(10), length=15),
            terminal_id=self._terminal_id,
            at_ms=self._now_ms(),
            kind=CardKind.BANK if bank else CardKind.RFID,
            token=card.token,
            # The UID of a bank card or a phone is no identity: many draw a new one for each tap.
            uid="" if bank else card.uid,
            brand=card.brand,
            last_four=card.last_four,
            bin=card.bin,
        )
        try:
            answer = await self._teller.ask(message, within_s=self._patience.present_s)
        except NotConnected as problem:
            log.warning("card dropped", terminal=self._terminal_id, reason=str(problem))
            self._show((NOT_AVAILABLE, TRY_LATER))
            return
        if answer is not None and not answer.accepted:
            self._show((NOT_ACCEPTED, *([answer.reason] if answer.reason else [])))
            return
        self._wait_until_ms = self._now_ms() + round(self._patience.after_card_s * 1000)
