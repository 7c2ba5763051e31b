"""A payment terminal for tests: our Terminal role on a loopback socket, doing what a test tells it to."""

import asyncio
from collections.abc import Awaitable, Callable

from tapwatt.terminals.messages import Approved, CardKind, CardRead, Declined
from tapwatt.terminals.zvt import answers
from tapwatt.terminals.zvt.events import Timings
from tapwatt.terminals.zvt.link import Dialogue, SerialPort, TerminalLink
from tapwatt.terminals.zvt.messages import Command, Message

TID = "52523535"
CARD = CardRead(
    kind=CardKind.BANK, token="A1B2C3D4", aid="A0000000041010", brand="Mastercard", uid="04AABBCC"
)
TAG = CardRead(kind=CardKind.RFID, uid="04A1B2C3D4E5F6")

Act = Callable[[Dialogue], Awaitable[None]]


class Device:
    """Remembers every command; `acts` replaces what it does with one of them."""

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.refused: list[int] = []
        self.texts: list[tuple[str, ...]] = []
        self.open: dict[str, int] = {}
        self.captured: dict[str, int] = {}
        self.cards: asyncio.Queue[CardRead] = asyncio.Queue()
        self.acts: dict[int, list[Act]] = {}
        self.state = 0
        self.registered = True
        self.port = 0
        self._next_receipt = 231
        self._link = self._new_link()

    def _new_link(self) -> TerminalLink:
        return TerminalLink(self._serve, timings=Timings(acknowledgement_ms=1000), observe=self._observe)

    async def start(self) -> None:
        """Listen, on the same port every time."""
        self._link = self._new_link()
        self.port = await self._link.listen(port=self.port)

    def attach(self, port: SerialPort) -> None:
        """Hang on a serial line instead."""
        self._link = self._new_link()
        self._link.attach(port)

    async def stop(self) -> None:
        """Be away."""
        await self._link.close()

    async def cut(self) -> None:
        """Pull the cable."""
        await self._link.disconnect()

    def next_time(self, command: Command, act: Act) -> None:
        """Do this once instead of what is usual."""
        self.acts.setdefault(command, []).append(act)

    def times(self, command: Command) -> int:
        """How often a command came; asking for the open list does not count."""
        return sum(each.control == command and each.text("receipt") != "FFFF" for each in self.seen)

    def approval(self, amount_minor: int) -> Approved:
        """A new hold."""
        receipt = f"{self._next_receipt:04d}"
        self._next_receipt += 1
        return Approved(
            receipt=receipt,
            amount_minor=amount_minor,
            currency="EUR",
            trace=f"{int(receipt):06d}",
            tid=TID,
            approval_code="A1B2C3",
            token="A1B2C3D4",
            brand="Mastercard",
            masked_pan="541333******9604",
            technology="contactless",
            merchant_id="000000000012345",
        )

    def _observe(self, direction: str, message: Message) -> None:
        if direction == "sent" and message.control == Command.NEGATIVE:
            self.refused.append(message.number("error_code") or 0)

    async def _serve(self, dialogue: Dialogue) -> None:
        message = dialogue.message
        self.seen.append(message)
        waiting = self.acts.get(message.control)
        if message.control == Command.PARTIAL_REVERSAL and message.text("receipt") == "FFFF":
            await self._list(dialogue)
        elif waiting:
            await waiting.pop(0)(dialogue)
        else:
            await self._usual(dialogue)

    async def _list(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.say(answers.open_list_message(tuple(self.open)))

    async def _usual(self, dialogue: Dialogue) -> None:
        match dialogue.message.control:
            case Command.REGISTRATION:
                self.registered = True
                await dialogue.accept()
                await dialogue.say(answers.registration_message(tid=TID, currency="EUR"))
            case Command.STATUS_ENQUIRY:
                await dialogue.accept()
                await dialogue.say(answers.state_message(code=self.state, tid=TID))
            case Command.DISPLAY_TEXT:
                lines = (dialogue.message.text(f"line_{number}") for number in range(1, 9))
                self.texts.append(tuple(line for line in lines if line))
                await dialogue.accept()
            case Command.READ_CARD:
                await self._read(dialogue)
            case Command.PREAUTHORISATION:
                await self.preauthorise(dialogue)
            case Command.PARTIAL_REVERSAL | Command.PREAUTHORISATION_REVERSAL:
                await self.finish(dialogue)
            case _:
                await dialogue.refuse(0x83)

    async def _read(self, dialogue: Dialogue) -> None:
        await dialogue.accept()
        card = asyncio.ensure_future(self.cards.get())
        stop = asyncio.ensure_future(dialogue.abort_requested.wait())
        gone = asyncio.ensure_future(dialogue.gone.wait())
        seconds = dialogue.message.number("timeout_s") or 1
        await asyncio.wait({card, stop, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        gone.cancel()
        if card.done():
            await dialogue.status(card.result())
            return
        card.cancel()
        await dialogue.abort(by_ecr=dialogue.abort_requested.is_set())

    async def preauthorise(self, dialogue: Dialogue, amount_minor: int | None = None) -> None:
        """Approve, for what was asked or for less."""
        asked = dialogue.message.number("amount_minor") or 0
        hold = self.approval(asked if amount_minor is None else amount_minor)
        await dialogue.accept()
        await dialogue.intermediate(0x0A)
        self.open[hold.receipt] = hold.amount_minor or 0
        await dialogue.status(hold)
        await dialogue.complete()

    async def finish(self, dialogue: Dialogue) -> None:
        """Capture or release an open hold; B8 when there is none."""
        message = dialogue.message
        receipt = message.text("receipt")
        await dialogue.accept()
        if receipt not in self.open:
            await dialogue.abort(0xB8)
            return
        hold = self.open.pop(receipt)
        returned = message.number("amount_minor") if message.control == Command.PARTIAL_REVERSAL else hold
        assert returned is not None
        self.captured[receipt] = hold - returned
        await dialogue.status(Approved(receipt=receipt, amount_minor=returned, currency="EUR", tid=TID))
        await dialogue.complete()

    async def decline(self, dialogue: Dialogue) -> None:
        """Say no, as the bank did."""
        await dialogue.accept()
        await dialogue.status(Declined(code="05", reason=""))
        await dialogue.abort(0x05)

    async def walk_away(self, dialogue: Dialogue) -> None:
        """The driver presses the abort key."""
        await dialogue.accept()
        await dialogue.abort(0x6C)

    async def fall_silent(self, dialogue: Dialogue) -> None:
        """Take the command, and say nothing more."""
        await dialogue.accept()
        await dialogue.gone.wait()

    async def approve_and_fall_silent(self, dialogue: Dialogue) -> None:
        """The hold is there, and nobody is told."""
        await dialogue.accept()
        hold = self.approval(dialogue.message.number("amount_minor") or 0)
        self.open[hold.receipt] = hold.amount_minor or 0
        await dialogue.gone.wait()

    async def approve_and_break_before_status(self, dialogue: Dialogue) -> None:
        """The cable is cut between the host's yes and ours."""
        await dialogue.accept()
        hold = self.approval(dialogue.message.number("amount_minor") or 0)
        self.open[hold.receipt] = hold.amount_minor or 0
        await self.cut()

    async def approve_and_break_after_status(self, dialogue: Dialogue) -> None:
        """The cable is cut between 040F and 060F."""
        await dialogue.accept()
        hold = self.approval(dialogue.message.number("amount_minor") or 0)
        self.open[hold.receipt] = hold.amount_minor or 0
        await dialogue.status(hold)
        await self.cut()

    async def finish_and_break(self, dialogue: Dialogue) -> None:
        """The hold is ended, and the cable cut before anybody is told."""
        await dialogue.accept()
        receipt = dialogue.message.text("receipt")
        hold = self.open.pop(receipt)
        self.captured[receipt] = hold - (dialogue.message.number("amount_minor") or 0)
        await self.cut()

    async def break_before_finish(self, dialogue: Dialogue) -> None:
        """The cable is cut before anything was done."""
        await dialogue.accept()
        await self.cut()


def refuse(code: int) -> Act:
    """Turn the command down."""

    async def act(dialogue: Dialogue) -> None:
        await dialogue.refuse(code)

    return act


def abort(code: int) -> Act:
    """Take the command and end it with a result."""

    async def act(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.abort(code)

    return act
