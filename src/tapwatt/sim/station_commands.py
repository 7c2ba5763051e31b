"""What the CSMS asks of the station: one method a command, answers as OCPP 1.6 section 5 wants them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tapwatt.ocpp import commands as asked
from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus, TriggerKind
from tapwatt.ocpp.messages import ConnectorStatus, DataAnswered, DataStatus, HeartbeatSent, StopReason

if TYPE_CHECKING:
    from tapwatt.sim.station import Connector, Station

_CONFIGURATION: Final = {
    "HeartbeatInterval": ("300", False),
    "MeterValueSampleInterval": ("1", True),
    "MeterValuesSampledData": ("Energy.Active.Import.Register,Power.Active.Import", True),
    "AuthorizeRemoteTxRequests": ("false", True),
    "StopTransactionOnEVSideDisconnect": ("true", True),
    "StopTransactionOnInvalidId": ("true", True),
}
_AFTER_ANSWER_S: Final = 0.05
"""What a command sets off comes after its answer has gone out."""


class Commands:
    """Answers the CSMS's commands for one station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._configuration = dict(_CONFIGURATION)

    async def answer(self, command: Command) -> CommandAnswer:
        """What the station says to a command; accepted means that it will try."""
        match command:
            case asked.StartRequested():
                return CommandAnswered(status=self._start(command))
            case asked.StopRequested():
                return CommandAnswered(status=await self._stop(command))
            case asked.Trigger():
                return CommandAnswered(status=self._trigger(command))
            case asked.Reset():
                return CommandAnswered(status=self._reset(command))
            case asked.UnlockConnector():
                return CommandAnswered(status=self._unlock(command))
            case asked.ChangeAvailability():
                return CommandAnswered(status=self._availability(command))
            case asked.ChangeConfiguration():
                return CommandAnswered(status=self._configure(command))
            case asked.GetConfiguration():
                return self._configured(command)
            case _:
                return DataAnswered(status=DataStatus.UNKNOWN_VENDOR)

    def _start(self, command: asked.StartRequested) -> CommandStatus:
        faults = self._station.faults
        free = [each for each in self._station.connectors.values() if each.free_to_start]
        chosen = [each for each in free if command.evse_id in (None, each.evse_id)]
        if faults.refuse_start or not chosen:
            return CommandStatus.REJECTED
        if not faults.never_start:
            self._station.begin_soon(chosen[0], command.id_token, later_s=faults.late_start_s)
        return CommandStatus.ACCEPTED

    async def _stop(self, command: asked.StopRequested) -> CommandStatus:
        names = await self._station.transactions()
        for connector in self._station.connectors.values():
            charge = connector.charge
            if charge is not None and names.get(charge.charge_id) == command.transaction_id:
                self._station.spawn_end(connector, StopReason.REMOTE)
                return CommandStatus.ACCEPTED
        return CommandStatus.REJECTED

    def _trigger(self, command: asked.Trigger) -> CommandStatus:
        if command.message in (TriggerKind.DIAGNOSTICS, TriggerKind.FIRMWARE):
            return CommandStatus.NOT_IMPLEMENTED
        if command.evse_id not in (None, 0, *self._station.connectors):
            return CommandStatus.REJECTED
        self._station.spawn(self._triggered(command))
        return CommandStatus.ACCEPTED

    async def _triggered(self, command: asked.Trigger) -> None:
        await asyncio.sleep(_AFTER_ANSWER_S)
        station = self._station
        wanted = [each for each in station.connectors.values() if command.evse_id in (None, 0, each.evse_id)]
        match command.message:
            case TriggerKind.BOOT:
                station.line.reboot()
            case TriggerKind.HEARTBEAT:
                station.line.tell(HeartbeatSent())
            case TriggerKind.STATUS:
                for connector in wanted:
                    station.tell(connector)
            case _:
                for connector in wanted:
                    station.tell_meter(connector)

    def _reset(self, command: asked.Reset) -> CommandStatus:
        self._station.spawn(self._restart(hard=command.hard))
        return CommandStatus.ACCEPTED

    async def _restart(self, *, hard: bool) -> None:
        await asyncio.sleep(_AFTER_ANSWER_S)
        for connector in self._station.connectors.values():
            await self._station.end(connector, StopReason.HARD_RESET if hard else StopReason.SOFT_RESET)
        self._station.line.reboot()

    def _unlock(self, command: asked.UnlockConnector) -> CommandStatus:
        connector = self._station.connectors.get(command.evse_id)
        if connector is None:
            return CommandStatus.NOT_SUPPORTED
        self._station.spawn_end(connector, StopReason.UNLOCK_COMMAND)
        return CommandStatus.UNLOCKED

    def _availability(self, command: asked.ChangeAvailability) -> CommandStatus:
        chosen: list[Connector] = [
            each for each in self._station.connectors.values() if command.evse_id in (0, each.evse_id)
        ]
        if not chosen:
            return CommandStatus.REJECTED
        if not command.operative and any(each.charge is not None for each in chosen):
            # Nothing is cut off for this; the CSMS may ask again when the charge is over.
            return CommandStatus.REJECTED
        for connector in chosen:
            connector.operative = command.operative
            if command.operative and connector.car is None:
                connector.status = ConnectorStatus.AVAILABLE
            self._station.tell(connector)
        return CommandStatus.ACCEPTED

    def _configure(self, command: asked.ChangeConfiguration) -> CommandStatus:
        known = self._configuration.get(command.key)
        if known is None:
            return CommandStatus.NOT_SUPPORTED
        if known[1]:
            return CommandStatus.REJECTED
        self._configuration[command.key] = (command.value, False)
        return CommandStatus.ACCEPTED

    def _configured(self, command: asked.GetConfiguration) -> CommandAnswer:
        wanted = command.keys or tuple(self._configuration)
        entries = [
            asked.ConfigurationEntry(
                key=key, value=self._configuration[key][0], readonly=self._configuration[key][1]
            )
            for key in wanted
            if key in self._configuration
        ]
        unknown = tuple(key for key in wanted if key not in self._configuration)
        return asked.ConfigurationReported(entries=tuple(entries), unknown=unknown)
