"""Things that happened at a site, for pages to show: told through the platform's own handlers, on a clock of
its own."""

import asyncio
import dataclasses
from typing import Any

import msgspec
from tests.platform.conftest import Site

from tapwatt.core.events import Limits
from tapwatt.core.hold import HoldPolicy
from tapwatt.core.tariff import Usage
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import places, views
from tapwatt.platform.sessions import SESSIONS
from tapwatt.store import Database
from tapwatt.uplink import messages as uplink

NOON_MS = 1_800_014_400_000
KW = 1000


class Scene(Site):
    """A site whose clock stands still until it is told to move."""

    def __init__(self, database: Database) -> None:
        self.at_ms = NOON_MS
        super().__init__(database)
        self.offers(places.Terms(hold=HoldPolicy(amount_minor=6000, least_minor=100), limits=Limits()))
        self.cards = 0

    def offers(self, terms: places.Terms) -> None:
        """What every session is offered with from now on."""
        self.stations = dataclasses.replace(self.stations, terms=terms)
        self.terminals = dataclasses.replace(self.terminals, terms=terms)

    def now_ms(self) -> int:
        return self.at_ms

    def after(self, seconds: int) -> None:
        """Let time pass."""
        self.at_ms += seconds * 1000

    async def screen(self, terminal_id: str, lines: tuple[str, ...]) -> None:
        """Remember what a terminal shows, as the program does."""
        text = msgspec.json.encode(lines).decode()
        await self.database.write(lambda tx: tx.run(places.SET_SCREEN, terminal=terminal_id, screen=text))

    async def settle(self) -> None:
        """Wait until the effects have been performed."""
        for _ in range(200):
            page = await self.sessions()
            open_ones = [await self.page(session["session_id"]) for session in page[:3]]
            if all(e["done_ms"] for each in open_ones if each for e in each["effects"]):
                return
            await asyncio.sleep(0.01)

    async def usage(self, session_id: str) -> Usage:
        """What a session has used so far."""
        row = await self.database.read(
            lambda tx: tx.one(views.ONE_SESSION, operator_id="demo", session_id=session_id)
        )
        assert row is not None
        used = SESSIONS.state(row.state).usage
        assert used is not None
        return used

    async def opens(self, vendor: str = "Ohmworks", model: str = "DC400") -> None:
        """The station and the edge connect."""
        await self.stations.seen("CS1", connected=True)
        boot = ocpp.StationBooted(vendor=vendor, model=model, serial="23BZ0915", firmware="2.7.1")
        await self.says(boot)
        await self.terminal("ready")

    async def terminal(self, state: str, text: str = "") -> None:
        """The edge reports its terminal."""
        report = uplink.TerminalReported(
            terminal_id="T1", state=uplink.TerminalState(state), at_ms=self.at_ms, text=text
        )
        await self.terminals.handle("EDGE1", report)

    async def pays(self, evse_id: int, *, last_four: str = "1111", brand: str = "visa") -> str:
        """Plug in and tap; the hold is asked for. Returns the session's id."""
        await self.status("preparing", evse_id)
        await self.settle()
        self.after(9)
        self.cards += 1
        card = uplink.CardPresented(
            key=f"card-{self.cards}",
            terminal_id="T1",
            at_ms=self.at_ms,
            kind=uplink.CardKind.BANK,
            token=f"tok-{self.cards}",
            brand=brand,
            last_four=last_four,
        )
        assert (await self.terminals.handle("EDGE1", card)).accepted
        await self.settle()
        return str((await self.sessions())[0]["session_id"])

    async def approved(self, session_id: str) -> None:
        """The whole hold is approved."""
        self.after(4)
        await self.outcome(
            f"{session_id}.p1", "preauthorise", "approved", amount_minor=6000, tid="52523535",
            receipt=f"{230 + self.cards:04}", trace=f"{4100 + self.cards:06}", approval_code="831274",
        )  # fmt: skip
        await self.settle()

    async def starts(self, evse_id: int, register_wh: int) -> str:
        """The station begins; returns the transaction's number."""
        self.after(6)
        started = ocpp.TransactionStarted(
            evse_id=evse_id, id_token=self.wires.started[-1], register_wh=register_wh, at_ms=self.at_ms
        )
        answer = await self.says(started)
        await self.status("charging", evse_id)
        await self.settle()
        return str(answer.transaction_id)

    async def meters(self, evse_id: int, transaction_id: str, register_wh: int, *powers_kw: int) -> int:
        """A reading every half minute at these powers; returns the register."""
        for power_kw in powers_kw:
            self.after(30)
            register_wh += power_kw * KW * 30 // 3600
            reading = ocpp.Reading(register_wh=register_wh, at_ms=self.at_ms)
            await self.says(
                ocpp.MeterReported(evse_id=evse_id, transaction_id=transaction_id, readings=(reading,))
            )
        return register_wh

    async def stops(self, evse_id: int, transaction_id: str, register_wh: int, **more: Any) -> None:
        """The station ends its transaction and the car leaves."""
        self.after(12)
        await self.says(
            ocpp.TransactionStopped(
                transaction_id=transaction_id, register_wh=register_wh, at_ms=self.at_ms, **more
            )
        )
        await self.settle()

    async def captured(self) -> None:
        """The terminal has captured."""
        capture = self.wires.operated[-1]
        self.after(3)
        await self.outcome(capture.key, "capture", "done", amount_minor=capture.amount_minor)
        await self.settle()

    async def visit(self, evse_id: int, *powers_kw: int, **card: str) -> str:
        """One whole paid charge."""
        session_id = await self.pays(evse_id, **card)
        await self.approved(session_id)
        transaction_id = await self.starts(evse_id, 1_204_330)
        register_wh = await self.meters(evse_id, transaction_id, 1_204_330, *powers_kw)
        await self.stops(evse_id, transaction_id, register_wh, reason="EVDisconnected")
        await self.captured()
        await self.status("available", evse_id)
        self.after(240)
        return session_id

    async def declined(self, evse_id: int) -> str:
        """A card that the issuer refuses; the car leaves."""
        session_id = await self.pays(evse_id, last_four="4444", brand="mastercard")
        self.after(4)
        await self.outcome(
            f"{session_id}.p1", "preauthorise", "declined", code="51", reason="Insufficient funds"
        )
        await self.settle()
        await self.status("available", evse_id)
        self.after(90)
        return session_id

    async def charging(self, evse_id: int, *powers_kw: int, **card: str) -> tuple[str, str, int]:
        """A charge that goes on; returns session, transaction and register."""
        session_id = await self.pays(evse_id, **card)
        await self.approved(session_id)
        transaction_id = await self.starts(evse_id, 884_120)
        register_wh = await self.meters(evse_id, transaction_id, 884_120, *powers_kw)
        return session_id, transaction_id, register_wh

    async def review(self, evse_id: int) -> str:
        """A stop that cannot be tied to its transaction beyond doubt waits for a person."""
        session_id, _, register_wh = await self.charging(evse_id, 140, 151, 148, last_four="0004")
        token = self.wires.started[-1]
        await self.stops(evse_id, "-1", register_wh, id_token=token)
        await self.status("available", evse_id)
        self.after(60)
        return session_id


CURVE = (96, 212, 318, 331, 327, 319, 302, 288, 264, 251, 238, 220)
"""A fast charge as cars do it: up quickly, then slowly down, in kW."""
