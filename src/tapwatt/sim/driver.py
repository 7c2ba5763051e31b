"""The driver: plugs in, taps, waits, unplugs; and knows how it ended. Every wait has an end.

The driver sees what a person sees (the screen, the plug, whether power flows) and, to tell the outcome, what
is printed on the terminal's own slips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tapwatt.ocpp.messages import TokenStatus
from tapwatt.sim import books, station_books
from tapwatt.sim.bell import Bell
from tapwatt.sim.books import PaymentState
from tapwatt.sim.car import Car
from tapwatt.sim.card import Medium, Reader
from tapwatt.sim.plans import Plan, VisitKind
from tapwatt.sim.station import Station
from tapwatt.sim.terminal import Terminal
from tapwatt.store import Database, Row


class Outcome(StrEnum):
    """How a visit ended."""

    CHARGED = "charged"
    RELEASED = "released"
    DECLINED = "declined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A visit's end and why."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a driver waits, in seconds."""

    site_s: float = 60.0
    offer_s: float = 8.0
    reading_s: float = 52.0
    asked_s: float = 6.0
    approved_s: float = 75.0
    power_s: float = 120.0
    charge_s: float = 120.0
    stopped_s: float = 8.0
    settled_s: float = 150.0


class VisitFailed(Exception):
    """The visit cannot go on; the message says why."""


_TAPS: Final = 8
_PENDING: Final = (PaymentState.SENT, PaymentState.OPEN, PaymentState.REVERSING)
_POWER_WENT: Final = "the site's power went"


class Driver:
    """Carries out one visit at a time."""

    def __init__(
        self,
        database: Database,
        station: Station,
        terminal: Terminal,
        reader: Reader,
        *,
        bell: Bell,
        ready: Callable[[], bool],
        now_ms: Callable[[], int],
        patience: Patience | None = None,
    ) -> None:
        """`ready` says whether station, terminal and their lines are up."""
        self._database = database
        self._station = station
        self._terminal = terminal
        self._reader = reader
        self._bell = bell
        self._ready = ready
        self._now_ms = now_ms
        self._patience = patience or Patience()

    async def come(self, plan: Plan, *, since_ms: int) -> Ended:
        """One visit, begun at `since_ms`; never raises for what went wrong with it."""
        try:
            return await self._visit(plan, since_ms)
        except VisitFailed as failure:
            return Ended(outcome=Outcome.FAILED, reason=str(failure))
        finally:
            await self._station.unplug(plan.evse_id)

    async def come_back(self, *, evse_id: int, since_ms: int) -> Ended:
        """A visit that a power cut of the site broke off: unplug, and see what became of the money."""
        await self._bell.until(lambda: self._station.line.connected, self._patience.site_s)
        await self._station.unplug(evse_id)

        async def settled() -> list[Row] | None:
            payments = await self._payments(since_ms)
            return None if any(row.state in _PENDING for row in payments) else payments

        payments = await self._bell.until_found(settled, self._patience.settled_s)
        if payments is None:
            return Ended(outcome=Outcome.FAILED, reason=f"{_POWER_WENT}, and the hold is still open")
        states = {row.state for row in payments}
        for state, outcome in _OUTCOMES.items():
            if state in states:
                return Ended(outcome=outcome, reason=_POWER_WENT)
        charges = await self._database.read(lambda tx: station_books.between(tx, since_ms, self._now_ms()))
        if charges and not payments:
            return Ended(outcome=Outcome.CHARGED, reason=_POWER_WENT)
        return Ended(outcome=Outcome.FAILED, reason=_POWER_WENT)

    # --- one visit

    async def _visit(self, plan: Plan, since_ms: int) -> Ended:
        if not await self._bell.until(self._ready, self._patience.site_s):
            raise VisitFailed("station or terminal is out of order")
        shown = self._terminal.shown
        car = Car(target_wh=plan.target_wh, handshake_ms=plan.handshake_ms)
        if not await self._station.plug(plan.evse_id, car):
            raise VisitFailed("the connector is taken")
        if plan.kind is VisitKind.TAG:
            return await self._charge_by_tag(plan, since_ms)
        refused = await self._pay(plan, since_ms, shown)
        if refused is not None:
            return refused
        if plan.kind is VisitKind.UNPLUGGED:
            await self._leave_before_power(plan)
        elif await self._power(plan, since_ms):
            await self._charge(plan)
        await self._station.unplug(plan.evse_id)
        return await self._settled(since_ms)

    async def _charge_by_tag(self, plan: Plan, since_ms: int) -> Ended:
        status = await self._station.present_tag(plan.evse_id, plan.id_token)
        if status is not TokenStatus.ACCEPTED:
            raise VisitFailed("nobody answers for the tag") if status is None else VisitFailed(status)
        if not await self._power(plan, since_ms):
            raise VisitFailed("no power after the tag")
        await self._charge(plan)
        await self._station.unplug(plan.evse_id)

        async def told() -> bool | None:
            charges = await self._charges(since_ms)
            counts = [
                await self._database.read(lambda tx, row=row: station_books.unsent_of(tx, row.id))  # type: ignore[misc]
                for row in charges
            ]
            return True if counts and not any(counts) else None

        if await self._bell.until_found(told, self._patience.settled_s) is None:
            raise VisitFailed("the charge could not be reported")
        return Ended(outcome=Outcome.CHARGED)

    async def _pay(self, plan: Plan, since_ms: int, shown: int) -> Ended | None:
        """Tap until the bank was asked; None when there is a hold."""

        def offered() -> bool:
            return self._reader.reading and self._terminal.shown > shown

        await self._bell.until(offered, self._patience.offer_s)
        for _ in range(_TAPS):
            if not await self._reader.present(Medium(card=plan.card), self._patience.reading_s):
                raise VisitFailed("the terminal reads no card")
            if await self._payment(since_ms, self._patience.asked_s) is not None:
                break
        else:
            raise VisitFailed("the tap led to nothing")

        async def answered() -> Row | None:
            rows = await self._payments(since_ms)
            return rows[-1] if rows and rows[-1].state != PaymentState.SENT else None

        payment = await self._bell.until_found(answered, self._patience.approved_s)
        if payment is None:
            raise VisitFailed("the terminal never said yes or no")
        if payment.state == PaymentState.DECLINED:
            return Ended(outcome=Outcome.DECLINED, reason=f"response code {payment.response_code}")
        if payment.state not in (PaymentState.OPEN, PaymentState.CAPTURED, PaymentState.RELEASED):
            return Ended(outcome=Outcome.DECLINED, reason="the bank could not be reached")
        return None

    async def _leave_before_power(self, plan: Plan) -> None:
        """Pull the plug as soon as the station has been told to start."""
        connector = self._station.connectors[plan.evse_id]
        begun = lambda: connector.starting is not None  # noqa: E731
        if not await self._bell.until(begun, self._patience.power_s):
            raise VisitFailed("the station was not told to start")
        await self._station.unplug(plan.evse_id)

    async def _power(self, plan: Plan, since_ms: int) -> bool:
        """Whether power flows in time; False also when the hold was given back instead."""
        connector = self._station.connectors[plan.evse_id]

        async def decided() -> bool | None:
            if connector.charge is not None:
                return True
            if any(row.evse_id == plan.evse_id for row in await self._charges(since_ms)):
                return True
            rows = await self._payments(since_ms)
            return False if rows and rows[-1].state == PaymentState.RELEASED else None

        flows = await self._bell.until_found(decided, self._patience.power_s)
        return bool(flows)

    async def _charge(self, plan: Plan) -> None:
        """Until the charge has ended, by car, button or card."""
        over = lambda: self._station.connectors[plan.evse_id].charge is None  # noqa: E731
        match plan.kind:
            case VisitKind.STOP_BUTTON:
                await self._bell.until(over, plan.stop_after_ms / 1000)
                await self._station.press_stop(plan.evse_id)
            case VisitKind.CAR_STOPS_EARLY:
                await self._bell.until(over, plan.stop_after_ms / 1000)
                self._station.car_stops(plan.evse_id)
            case VisitKind.TAP_TO_STOP:
                await self._bell.until(over, plan.stop_after_ms / 1000)
                await self._reader.present(Medium(card=plan.card), self._patience.stopped_s)
                if not await self._bell.until(over, self._patience.stopped_s):
                    await self._station.press_stop(plan.evse_id)
        if not await self._bell.until(over, self._patience.charge_s):
            await self._station.press_stop(plan.evse_id)

    async def _settled(self, since_ms: int) -> Ended:
        async def ended() -> Row | None:
            rows = await self._payments(since_ms)
            return rows[-1] if rows and rows[-1].state not in _PENDING else None

        payment = await self._bell.until_found(ended, self._patience.settled_s)
        if payment is None:
            raise VisitFailed("the hold is still open")
        return Ended(outcome=_OUTCOMES.get(payment.state, Outcome.FAILED))

    # --- what the driver can read

    async def _payment(self, since_ms: int, within_s: float) -> Row | None:
        async def begun() -> Row | None:
            rows = await self._payments(since_ms)
            return rows[-1] if rows else None

        return await self._bell.until_found(begun, within_s)

    async def _payments(self, since_ms: int) -> list[Row]:
        return await self._database.read(lambda tx: books.between(tx, since_ms, self._now_ms()))

    async def _charges(self, since_ms: int) -> list[Row]:
        return await self._database.read(lambda tx: station_books.between(tx, since_ms, self._now_ms()))


_OUTCOMES: Final[dict[str, Outcome]] = {
    PaymentState.CAPTURED: Outcome.CHARGED,
    PaymentState.RELEASED: Outcome.RELEASED,
    PaymentState.DECLINED: Outcome.DECLINED,
    PaymentState.NOT_SENT: Outcome.DECLINED,
    PaymentState.REVERSED: Outcome.RELEASED,
}
