"""Looks at the site and asks the parties: the facts that a page is drawn from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tapwatt.sim import books
from tapwatt.sim.books import PaymentState
from tapwatt.sim.forecourt.board import Board
from tapwatt.sim.forecourt.facts import Bay, Device, Facts, Stay
from tapwatt.sim.forecourt.parties import Parties
from tapwatt.sim.forecourt.visitor import Visitor

if TYPE_CHECKING:
    from tapwatt.sim import site as sim_site
    from tapwatt.sim.station import Connector, Station


class Witness:
    """Sees everything, touches nothing."""

    def __init__(
        self,
        site: sim_site.Site,
        station: Station,
        device: sim_site.Device,
        *,
        parties: Parties,
        visitor: Visitor,
        board: Board,
    ) -> None:
        self._site = site
        self._station = station
        self._device = device
        self._parties = parties
        self._visitor = visitor
        self._board = board

    async def look(self) -> Facts:
        """The facts now."""
        stay = self._visitor.stay()
        reversing = stay is not None and await self._reversing(stay)
        told, _ = await asyncio.gather(
            self._parties.told(stay, station_id=self._station.station_id, reversing=reversing),
            self._board.look(),
        )
        visitor = self._visitor
        return Facts(
            station_up=self._station.line.connected,
            bays=tuple(_bay(each) for each in self._station.connectors.values()),
            device=self._terminal(),
            driving=visitor.driving,
            stay=stay,
            told=told,
            busy=visitor.busy,
            notice=visitor.notice,
            holding=visitor.holding,
            on=self._board.on,
            out_of_reach=self._board.out_of_reach(),
        )

    async def _reversing(self, stay: Stay) -> bool:
        until_ms = self._site.now_ms()
        payments = await self._site.database.read(lambda tx: books.between(tx, stay.since_ms, until_ms))
        return any(row.state == PaymentState.REVERSING for row in payments)

    def _terminal(self) -> Device:
        device = self._device
        return Device(
            screen=device.terminal.screen,
            reading=device.reader.reading,
            doing=device.terminal.doing,
            edge=device.link.connected and device.terminal.registered,
            gateway=device.gateway.connected,
        )


def _bay(connector: Connector) -> Bay:
    charge = connector.charge
    return Bay(
        evse_id=connector.evse_id,
        status=str(connector.status),
        plugged=connector.car is not None,
        charging=charge is not None,
        power_w=0 if charge is None else charge.flow.power_w,
        delivered_wh=0 if charge is None else charge.flow.delivered_wh,
        target_wh=0 if connector.car is None else connector.car.target_wh,
    )
