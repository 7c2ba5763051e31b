"""The charging station: two connectors, a register that never resets, and what drivers and CSMS do to it.

Spec: OCPP 1.6 edition 2. A running charge's register is stored every second, so that a power cut ends it with
a StopTransaction of reason PowerLoss at the register stored last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from tapwatt.ocpp.messages import (
    ConnectorStatus,
    MeterReported,
    Reading,
    StationBooted,
    StatusReported,
    StopReason,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
)
from tapwatt.sim import station_books
from tapwatt.sim.bell import Bell
from tapwatt.sim.car import Car, Flow
from tapwatt.sim.configuration import Configuration
from tapwatt.sim.faults import Faults
from tapwatt.sim.station_commands import Commands
from tapwatt.sim.station_line import StationLine
from tapwatt.store import Database

METER_EVERY_S: Final = 1.0
AFTER_FULL_S: Final = 1.0
"""A car that has enough stays plugged and suspended so long before the station ends the charge."""
AUTHORISE_WITHIN_S: Final = 20.0
LONGEST_CHARGE_S: Final = 86_400.0
FIRST_REGISTER_WH: Final = 1_234_500
IDENTITY: Final = StationBooted(
    vendor="Tapwatt",
    model="Simulated 400",
    serial="TW-CS-0001",
    firmware="1.0",
    meter_type="DC meter",
    meter_serial="TW-METER-0001",
)

log = structlog.get_logger("tapwatt.sim")


@dataclass(slots=True, kw_only=True)
class Charge:
    """A charge that runs: the station's own number of it, and the energy as it flows."""

    charge_id: int
    id_token: str
    start_wh: int
    flow: Flow


@dataclass(slots=True, kw_only=True)
class Connector:
    """One connector and what is plugged into it."""

    evse_id: int
    register_wh: int
    status: ConnectorStatus = ConnectorStatus.AVAILABLE
    car: Car | None = None
    charge: Charge | None = None
    starting: asyncio.Task[None] | None = None
    operative: bool = True
    ends_inoperative: bool = False
    """Asked to go out of service while it charges: it does when the charge has ended."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def free_to_start(self) -> bool:
        """Whether a remote start makes sense: a car, and nothing running or about to."""
        starting = self.starting is not None and not self.starting.done()
        return self.car is not None and self.charge is None and not starting and self.operative


class Station:
    """A simulated station; `start` it, then plug, tap and press."""

    def __init__(
        self,
        database: Database,
        *,
        url: str,
        station_id: str,
        evses: tuple[int, ...],
        faults: Faults,
        bell: Bell,
        now_ms: Callable[[], int],
    ) -> None:
        self.station_id = station_id
        self.faults = faults
        self.connectors = {
            evse_id: Connector(evse_id=evse_id, register_wh=FIRST_REGISTER_WH) for evse_id in evses
        }
        self._database = database
        self._bell = bell
        self._now_ms = self.now_ms = now_ms
        self.configuration = Configuration(connectors=len(evses))
        self._tasks: set[asyncio.Task[None]] = set()
        self.line = StationLine(
            database,
            url=url,
            station_id=station_id,
            identity=IDENTITY,
            on_command=Commands(self).answer,
            on_accepted=self.tell_all,
            on_refused_token=self._token_refused,
            bell=bell,
        )

    # --- power

    async def start(self) -> None:
        """Power on: what was running when the power went has ended; then dial the CSMS."""
        now_ms = self._now_ms()
        cut = await self._database.write(lambda tx: station_books.recover(tx, now_ms=now_ms))
        for row in await self._database.read(station_books.connectors):
            connector = self.connectors.get(row.evse_id)
            if connector is None:
                continue
            connector.register_wh = row.register_wh
            if row.plugged:
                connector.car = Car()
                over = row.evse_id in cut
                connector.status = ConnectorStatus.FINISHING if over else ConnectorStatus.PREPARING
        self.spawn(self.line.feed())
        await self.line.start()

    async def stop(self) -> None:
        """Hang up; a charge that runs is cut as by a power loss, and the next start says so."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.line.stop()

    async def go_offline(self, seconds: float) -> None:
        """Be without a line for a while; charges run on and their messages are kept."""
        await self.line.stop()
        await asyncio.sleep(seconds)
        await self.line.start()

    # --- the driver

    async def plug(self, evse_id: int, car: Car) -> bool:
        """Plug a car in; False where one is plugged in already."""
        connector = self.connectors[evse_id]
        if connector.car is not None:
            return False
        connector.car = car
        await self._store(connector)
        self.set_status(connector, ConnectorStatus.PREPARING)
        return True

    async def unplug(self, evse_id: int) -> bool:
        """Pull the plug; a charge that runs ends with it."""
        connector = self.connectors[evse_id]
        if connector.car is None:
            return False
        connector.car = None
        connector.starting = None  # it will find that its car has gone
        await self.end(connector, StopReason.EV_DISCONNECTED)
        await self._store(connector)
        self.set_status(connector, ConnectorStatus.AVAILABLE)
        return True

    async def press_stop(self, evse_id: int) -> bool:
        """Press the station's stop button; False where nothing runs."""
        return await self.end(self.connectors[evse_id], StopReason.LOCAL)

    def car_stops(self, evse_id: int) -> bool:
        """Let the car decide that it has enough now."""
        charge = self.connectors[evse_id].charge
        if charge is None:
            return False
        target_wh = max(charge.flow.delivered_wh, 1)
        charge.flow.car = Car(target_wh=target_wh, max_power_w=charge.flow.car.max_power_w)
        return True

    async def present_tag(self, evse_id: int, uid: str) -> TokenStatus | None:
        """Hold a tag to the station's reader: start, or stop what the same tag started. None: no answer."""
        connector = self.connectors[evse_id]
        if connector.charge is not None and connector.charge.id_token == uid:
            await self.end(connector, StopReason.LOCAL)
            return TokenStatus.ACCEPTED
        answer = await self.line.ask(TokenOffered(id_token=uid), AUTHORISE_WITHIN_S)
        if not isinstance(answer, TokenAnswered):
            return None
        if answer.status is TokenStatus.ACCEPTED:
            self.begin_soon(connector, uid)
        return answer.status

    # --- a charge

    def begin_soon(self, connector: Connector, id_token: str, *, later_s: float = 0.0) -> None:
        """Let station and car agree, then let power flow."""
        car = connector.car
        if car is None:
            return
        delay_s = later_s + car.handshake_ms / 1000
        connector.starting = self.spawn(self._begin_after(connector, car, id_token, delay_s))
        self._bell.ring()

    async def _begin_after(self, connector: Connector, car: Car, id_token: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with connector.turn:
            if connector.car is not car or connector.charge is not None:
                return
            now_ms = self._now_ms()
            register_wh = connector.register_wh
            charge_id = await self._database.write(
                lambda tx: station_books.begin(
                    tx,
                    evse_id=connector.evse_id,
                    id_token=id_token,
                    register_wh=register_wh,
                    now_ms=now_ms,
                )
            )
            flow = Flow(car=car, began_ms=now_ms, last_ms=now_ms)
            connector.charge = Charge(charge_id=charge_id, id_token=id_token, start_wh=register_wh, flow=flow)
        self.line.wake()
        self.set_status(connector, ConnectorStatus.CHARGING)
        self.spawn(self._meter(connector))

    async def _meter(self, connector: Connector) -> None:
        """Store the register every second until the charge ends, report it as often as configured; end the
        charge when the car is full."""
        told_ms = self._now_ms()
        while (charge := connector.charge) is not None:
            await asyncio.sleep(METER_EVERY_S)
            async with connector.turn:
                if connector.charge is not charge:
                    return
                self._advance(connector)
                every_s = self.configuration.seconds("MeterValueSampleInterval")
                # Half a second early is on time: the next chance comes a whole second later.
                due = every_s > 0 and self._now_ms() - told_ms >= every_s * 1000 - 500
                told_ms = self._now_ms() if due else told_ms
                await self._store(connector, charge=charge if due else None)
            self.line.wake()
            self._bell.ring()
            if charge.flow.full:
                self.set_status(connector, ConnectorStatus.SUSPENDED_EV)
                await asyncio.sleep(AFTER_FULL_S)
                await self.end(connector, StopReason.OTHER)

    async def end(self, connector: Connector, reason: StopReason) -> bool:
        """End the charge that runs; False where none does."""
        async with connector.turn:
            charge = connector.charge
            if charge is None:
                return False
            self._advance(connector)
            now_ms, register_wh = self._now_ms(), connector.register_wh
            await self._store(connector)
            await self._database.write(
                lambda tx: station_books.stop(
                    tx,
                    charge_id=charge.charge_id,
                    id_token=charge.id_token,
                    register_wh=register_wh,
                    reason=reason,
                    at_ms=now_ms,
                    now_ms=now_ms,
                )
            )
            connector.charge = None
        self.line.wake()
        log.info("charge ended", evse=connector.evse_id, reason=reason, wh=register_wh - charge.start_wh)
        plugged = connector.car is not None
        self.set_status(connector, ConnectorStatus.FINISHING if plugged else ConnectorStatus.AVAILABLE)
        if connector.ends_inoperative:
            self.set_operative(connector, False)
        return True

    async def idle(self) -> None:
        """Wait until nothing charges."""
        await self._bell.until(
            lambda: all(each.charge is None for each in self.connectors.values()), LONGEST_CHARGE_S
        )

    def _advance(self, connector: Connector) -> None:
        if connector.charge is not None:
            connector.register_wh += connector.charge.flow.advance(self._now_ms())

    async def _store(self, connector: Connector, *, charge: Charge | None = None) -> None:
        now_ms, register_wh = self._now_ms(), connector.register_wh
        plugged = connector.car is not None

        def work(tx: Any) -> None:
            station_books.set_connector(
                tx, evse_id=connector.evse_id, plugged=plugged, register_wh=register_wh, now_ms=now_ms
            )
            if charge is not None:
                station_books.meter(
                    tx,
                    charge_id=charge.charge_id,
                    evse_id=connector.evse_id,
                    register_wh=register_wh,
                    power_w=charge.flow.power_w,
                    now_ms=now_ms,
                )

        await self._database.write(work)

    async def transactions(self) -> dict[int, str]:
        """The CSMS's numbers of the charges that run, by the station's own."""
        return await self._database.read(station_books.running)

    def _token_refused(self, charge_id: int) -> None:
        for connector in self.connectors.values():
            if connector.charge is not None and connector.charge.charge_id == charge_id:
                self.spawn_end(connector, StopReason.DEAUTHORISED)

    # --- what the CSMS is told

    def set_status(self, connector: Connector, status: ConnectorStatus) -> None:
        """Remember a connector's state and tell it, if it is news."""
        if connector.status is status:
            return
        connector.status = status
        self.tell(connector)
        self._bell.ring()

    def set_operative(self, connector: Connector, operative: bool) -> None:
        """Take a connector out of service or back, and tell it."""
        connector.operative, connector.ends_inoperative = operative, False
        if operative and connector.car is None:
            connector.status = ConnectorStatus.AVAILABLE
        self.tell(connector)

    def tell(self, connector: Connector) -> None:
        """Tell a connector's state."""
        status = connector.status if connector.operative else ConnectorStatus.UNAVAILABLE
        self.line.tell(StatusReported(evse_id=connector.evse_id, status=status, at_ms=self._now_ms()))

    def tell_all(self) -> None:
        """Tell the state of the station and of every connector."""
        self.line.tell(StatusReported(evse_id=0, status=ConnectorStatus.AVAILABLE, at_ms=self._now_ms()))
        for connector in self.connectors.values():
            self.tell(connector)

    def tell_meter(self, connector: Connector) -> None:
        """Tell the register outside a charge's own readings."""
        reading = Reading(at_ms=self._now_ms(), register_wh=connector.register_wh)
        self.line.tell(MeterReported(evse_id=connector.evse_id, transaction_id=None, readings=(reading,)))

    # --- tasks

    def spawn_end(self, connector: Connector, reason: StopReason) -> None:
        """End a charge without waiting for it."""

        async def ended() -> None:
            await self.end(connector, reason)

        self.spawn(ended())

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something for as long as the station has power."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the station could not do something", error=type(error).__name__, reason=str(error))
