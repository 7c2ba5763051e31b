"""One terminal's loop: connect, register, recover, then serve what waits. One dialogue at a time.

Captures and releases outrank authorisations, these outrank texts, texts outrank reading cards
(design.md section 5). Whatever breaks leads back to the beginning, where the list of open holds settles what
is of unknown outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from tapwatt.edge import dialogue
from tapwatt.edge.cards import Cards
from tapwatt.edge.decide import UnableToDecide
from tapwatt.edge.journal import Journal
from tapwatt.edge.money import Money
from tapwatt.edge.operation import Operation
from tapwatt.edge.patience import Patience
from tapwatt.edge.tables import TerminalPlace
from tapwatt.edge.teller import Teller
from tapwatt.edge.unit import TerminalLost, Unit
from tapwatt.edge.wires import TerminalLink
from tapwatt.store import UnableToQueue, UnableToStore
from tapwatt.terminals import messages as terminal
from tapwatt.uplink.messages import TerminalReport

TEXT_S = 5

log = structlog.get_logger("tapwatt.edge")


class Stopping(Exception):
    """The edge stops: nothing new is begun."""


class Driver:
    """Drives one terminal for as long as the edge runs."""

    def __init__(
        self,
        place: TerminalPlace,
        *,
        link: TerminalLink,
        journal: Journal,
        teller: Teller,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        patience: Patience,
    ) -> None:
        self.place = place
        self._link = link
        self._now_ms = now_ms
        self._patience = patience
        self._wake = asyncio.Event()
        self._unit = Unit(place, link=link, teller=teller, now_ms=now_ms, patience=patience)
        self._money = Money(
            self._unit, journal=journal, teller=teller, now_ms=now_ms, chance=chance, patience=patience
        )
        self._cards = Cards(
            place.terminal_id,
            teller=teller,
            show=lambda lines: self.show(lines, seconds=TEXT_S),
            settled=self._wake.set,
            patience=patience,
            chance=chance,
            now_ms=now_ms,
        )
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._reading_wanted = True
        self._text: terminal.Display | None = None
        journal.subscribe(self._changed)

    # --- what others may do

    def start(self) -> asyncio.Task[None]:
        """Begin; the terminal need not be there yet."""
        self._task = asyncio.create_task(self._run(), name=f"terminal {self.place.terminal_id}")
        return self._task

    async def stop(self) -> None:
        """Let a running dialogue end for some seconds; what is cut then is recovered at the next start."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=self._patience.stop_s)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._cards.stop()
        await self._link.close()

    def show(self, lines: tuple[str, ...], *, seconds: int) -> None:
        """Show a text when nothing more important is to be done; only the newest one counts."""
        self._text = terminal.Display(lines=lines, seconds=seconds)
        self._wake.set()

    def read_cards(self, enabled: bool) -> None:
        """Keep the idle terminal reading cards, or let it rest."""
        self._reading_wanted = enabled
        self._wake.set()

    def look_again(self) -> None:
        """Read the list of open holds as soon as possible."""
        self._money.look_at_ms = 0
        self._wake.set()

    async def abort(self, key: str) -> bool:
        """Ask the terminal to stop this operation's dialogue; whether it runs and may be stopped."""
        if not self._money.may_be_stopped(key):
            return False
        await self._link.abort()
        return True

    @property
    def running(self) -> str:
        """The key of the operation on the wire, "" when there is none."""
        return self._money.running

    def report(self) -> TerminalReport:
        """The terminal as the platform is told at each Hello."""
        return self._unit.report()

    # --- the loop

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                await self._unit.connect()
                await self._money.look_up()
                failures = 0
                while True:
                    await self._serve()
            except (TerminalLost, UnableToDecide, UnableToStore, UnableToQueue) as lost:
                if not isinstance(lost, TerminalLost):
                    log.error("dialogue cut", terminal=self.place.terminal_id, reason=str(lost))
                await self._go_down(str(lost), failures)
                failures += 1
            except Stopping:
                return

    async def _go_down(self, reason: str, failures: int) -> None:
        await self._unit.disconnect(reason)
        wait_s = min(self._patience.redial_s * 2 ** min(failures, 10), self._patience.redial_most_s)
        until_ms = self._now_ms() + round(wait_s * 1000)
        await self._money.refuse_authorisations(reason)
        while not self._stopping and (left_ms := until_ms - self._now_ms()) > 0:
            if self._money.driver_waits():
                return  # one more try, now
            await self._rest(left_ms)

    async def _serve(self) -> None:
        """Do the most important thing there is to do, or wait for one."""
        self._wake.clear()
        if self._stopping:
            raise Stopping
        if not self._link.connected:
            raise TerminalLost("the terminal closed the connection")
        now_ms = self._now_ms()
        operation = self._money.next(now_ms)
        if now_ms >= self._money.look_at_ms:
            await self._money.look_up()
        elif operation is not None:
            ended = await self._money.operate(operation)
            self._cards.used(ended.keys.token if ended.keys is not None else "")
        elif self._text is not None:
            text, self._text = self._text, None
            self._demand(await self._unit.enquire(text))
        elif not self._unit.ready and now_ms >= self._unit.status_at_ms:
            await self._unit.ask_status()
        elif self._may_read(now_ms):
            await self._read()
        else:
            await self._rest(self._until_something_is_due(now_ms))

    async def _rest(self, wait_ms: int) -> None:
        """Sleep until woken. Nothing may be awaited between what is looked at and this."""
        self._wake.clear()
        try:
            async with asyncio.timeout(max(wait_ms, 1) / 1000):
                await self._wake.wait()
        except TimeoutError:
            return

    def _until_something_is_due(self, now_ms: int) -> int:
        moments = self._money.moments_ms()
        if not self._unit.ready:
            moments.append(self._unit.status_at_ms)
        open_again_ms = self._cards.open_again_ms
        if open_again_ms is not None and self._reading_wanted:
            moments.append(open_again_ms)
        return min((moment - now_ms for moment in moments if moment > now_ms), default=1000)

    def _changed(self, operation: Operation) -> None:
        if operation.terminal_id == self.place.terminal_id:
            self._wake.set()

    def _demand(self, outcome: terminal.Outcome) -> None:
        if isinstance(outcome, terminal.Unknown):
            raise TerminalLost(outcome.reason)

    # --- reading cards

    def _may_read(self, now_ms: int) -> bool:
        open_again_ms = self._cards.open_again_ms
        wanted = self._unit.ready and self._reading_wanted
        return wanted and open_again_ms is not None and open_again_ms <= now_ms

    async def _read(self) -> None:
        """Wait for a card for some seconds; anything that outranks it ends that at once.

        An abort may cross a card: the terminal's outcome counts, so the card is presented all the same.
        """
        began_ms = self._now_ms()
        reading = asyncio.create_task(self._link.run(terminal.ReadCard(timeout_s=self._patience.read_s)))
        try:
            await self._until_read_or_outranked(reading)
            outcome = await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        self._demand(outcome)
        if isinstance(outcome, terminal.CardRead):
            self._cards.read(outcome)
        elif dialogue.is_not_registered(outcome):
            await self._unit.register()
        quick = self._now_ms() - began_ms < self._patience.rest_s * 1000
        if quick and not self._outranks_reading():
            await asyncio.sleep(self._patience.rest_s)

    async def _until_read_or_outranked(self, reading: asyncio.Task[terminal.Outcome]) -> None:
        while not reading.done():
            woken = asyncio.create_task(self._wake.wait())
            wait_s = self._until_something_is_due(self._now_ms()) / 1000
            await asyncio.wait({reading, woken}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            if reading.done():
                return
            self._wake.clear()
            if self._outranks_reading():
                await self._link.abort()
                return

    def _outranks_reading(self) -> bool:
        now_ms = self._now_ms()
        if self._stopping or self._text is not None or not self._reading_wanted:
            return True
        return now_ms >= self._money.look_at_ms or self._money.next(now_ms) is not None
