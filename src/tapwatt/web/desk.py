"""What the web side works with: the platform's database and engine, for one operator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tapwatt.core.effects import Effect
from tapwatt.core.receipt import Receipt
from tapwatt.core.screen import RECEIPTS
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.pages.live import Live
from tapwatt.platform import audit, fleet, receipts, review, session_orders, views
from tapwatt.platform.approvals import Kind, Order
from tapwatt.platform.sessions import Event
from tapwatt.platform.station_commands import StationCommands
from tapwatt.platform.wire_traces import session_traces
from tapwatt.store import Database, Transaction
from tapwatt.web.chart.arrows import arrows, payments
from tapwatt.web.chart.hosts import HostTraces
from tapwatt.web.chart.own import facts, of_session, window
from tapwatt.web.gate import acting
from tapwatt.web.orders import Orders
from tapwatt.web.story import money_at_parties

Json = dict[str, Any]
LATEST = 12
"""Sessions that the board lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An operator's desk: every question and every order goes through here, with the operator's name in
    it."""

    database: Database
    engine: Engine[Session, Event, Effect]
    operator_id: str
    now_ms: Callable[[], int]
    chance: Callable[[int], bytes]
    """So many random bytes."""
    public_url: Callable[[], str]
    """Where drivers' phones reach this platform."""
    orders: Orders
    """On their way to be carried out, or to a second person."""
    stations: StationCommands | None = None
    """None where no station can be reached from here."""
    hosts: HostTraces = field(default_factory=lambda: HostTraces({}))
    """Where the rails' own traces are read."""
    links: tuple[tuple[str, str], ...] = ()
    """Words and addresses of other programs' pages, for the header."""
    live: Live = field(default_factory=Live)

    async def board(self) -> Json:
        """The live board."""
        now_ms = self.now_ms()
        return await self.database.read(
            lambda tx: views.board(tx, operator_id=self.operator_id, now_ms=now_ms)
        )

    async def overview(self) -> Json:
        """The board with the newest sessions and alarms, from one snapshot: what the console's page shows."""
        now_ms, owner = self.now_ms(), self.operator_id
        return await self.database.read(
            lambda tx: {
                **views.board(tx, operator_id=owner, now_ms=now_ms),
                "latest": views.sessions(tx, operator_id=owner, most=LATEST),
                "alarms": views.alarms(tx, operator_id=owner),
            }
        )

    async def summary(self) -> Json:
        """What is open and what waits."""
        return await self.database.read(lambda tx: views.summary(tx, operator_id=self.operator_id))

    async def session(self, session_id: str) -> Json | None:
        """One session, whole."""
        found = await self.database.read(
            lambda tx: views.session_page(tx, operator_id=self.operator_id, session_id=session_id)
        )
        if found is None:
            return None
        receipt = found["receipt"] and self.linked(found["receipt"])
        return {
            **found,
            "receipt": receipt,
            "receipt_url": receipt["url"] if receipt else None,
            "credit_notes": [self.linked(note) for note in found["credit_notes"]],
            "money": money_at_parties(found),
        }

    async def receipt_behind(self, token: str) -> Receipt | None:
        """The receipt behind a driver's link, whoever's station it was; None when there is none."""
        return await self.database.read(lambda tx: receipts.by_token(tx, token))

    async def receipt(self, number: str) -> Json | None:
        """One receipt or credit note by its number."""
        found = await self.database.read(
            lambda tx: receipts.by_number(tx, operator_id=self.operator_id, number=number)
        )
        return found and self.linked(found)

    def linked(self, document: Json) -> Json:
        """A receipt with the link that its driver has."""
        return {**document, "url": self.receipt_address(document["token"])}

    def receipt_address(self, token: str) -> str:
        """Where a driver finds a receipt."""
        return f"{self.public_url()}{RECEIPTS}{token}"

    async def chart(self, found: Json) -> Json:
        """Every message of a session, from the platform's own wires and from the hosts' ports."""
        now_ms = self.now_ms()
        from_ms, until_ms = window(found, now_ms=now_ms)
        rows = await self.database.read(
            lambda tx: session_traces(
                tx,
                operator_id=self.operator_id,
                station_id=found["station_id"],
                terminal_id=found["terminal_id"] or "",
                from_ms=from_ms,
                until_ms=until_ms,
            )
        )
        told = await self.hosts.of(found["reference"] if found["leader"] in (None, "terminal") else "")
        drawn = arrows(found, of_session(rows, facts(found)), told, now_ms=now_ms)
        return {
            "session_id": found["session_id"],
            "reference": found["reference"],
            "parties": {host: rows is not None for host, rows in told.items()},
            "payments": payments(drawn),
            "arrows": drawn,
        }

    async def all_stations(self) -> list[Json]:
        """Every station, for a choice."""
        return await self.database.read(lambda tx: views.stations(tx, operator_id=self.operator_id))

    async def review(self) -> Json:
        """What waits for a person, with what there is to judge it by."""
        now_ms = self.now_ms()
        return await self.database.read(
            lambda tx: review.queue(tx, operator_id=self.operator_id, now_ms=now_ms)
        )

    async def decide(self, session_id: str, *, amount_minor: int, by: str, why: str) -> bool:
        """Decide a session in review; see `review.decide`. Raises Waits when a second person is needed."""
        body = {"amount_minor": amount_minor, "why": why}
        return bool(await self.orders.give(Order(kind=Kind.DECIDE, subject=session_id, body=body), by=by))

    async def acknowledge(self, key: str, *, by: str) -> bool:
        """Take note of an alarm; False when there is none of that key."""
        now_ms, who = self.now_ms(), acting(self.operator_id, by)

        def work(tx: Transaction) -> bool:
            known = review.acknowledge(tx, operator_id=self.operator_id, key=key, by=who.name, at_ms=now_ms)
            if known:
                audit.append(tx, who, "alarm acknowledged", key, at_ms=now_ms)
            return known

        known = await self.database.write(work)
        self.live.changed()
        return known

    async def station(self, station_id: str) -> Json | None:
        """One station with connectors and what runs there, its health, configuration and transfers; None when
        the operator has none such."""
        now_ms, owner = self.now_ms(), self.operator_id

        def read(tx: Transaction) -> Json | None:
            whole = fleet.one_station(tx, operator_id=owner, station_id=station_id)
            if whole is None:
                return None
            board = views.board(tx, operator_id=owner, now_ms=now_ms)
            shown = next(each for each in board["stations"] if each["station_id"] == station_id)
            return {**whole, "connectors": shown["connectors"]}

        return await self.database.read(read)

    async def stop(self, session_id: str) -> bool:
        """Ask for the end of a session; see `session_orders.stop`."""
        now_ms, who = self.now_ms(), acting(self.operator_id)
        return await self.engine.transact(
            lambda tx, stepper: session_orders.stop(tx, stepper, who, session_id=session_id, at_ms=now_ms)
        )
