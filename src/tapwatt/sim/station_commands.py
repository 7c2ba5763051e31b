"""What the CSMS asks of the station: one method a command, answers as OCPP 1.6 section 5 wants them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, assert_never

from tapwatt.ocpp import commands as asked
from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus, TriggerKind
from tapwatt.ocpp.messages import (
    Acknowledged,
    DataAnswered,
    DataStatus,
    DataTransferred,
    HeartbeatSent,
    StopReason,
)
from tapwatt.ocpp.v16 import costs
from tapwatt.sim.station_upkeep import AFTER_ANSWER_S, FILE_NAME, Upkeep

if TYPE_CHECKING:
    from tapwatt.sim.station import Connector, Station

VENDOR: Final = "Tapwatt"
ECHO: Final = "echo"


class Commands:
    """Answers the CSMS's commands for one station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._upkeep = Upkeep(station)

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
                return self._station.configuration.report(command)
            case asked.ClearCache():
                # Nothing is remembered here, so nothing is left afterwards.
                return CommandAnswered(status=CommandStatus.ACCEPTED)
            case asked.GetDiagnostics():
                self._station.spawn(self._upkeep.upload(command))
                return asked.DiagnosticsPromised(file_name=FILE_NAME)
            case asked.UpdateFirmware():
                self._station.spawn(self._upkeep.update(command))
                return Acknowledged()
            case DataTransferred():
                return _data(command)
            case _:
                assert_never(command)

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
        if self._station.faults.never_stop:
            return CommandStatus.ACCEPTED
        names = await self._station.transactions()
        for connector in self._station.connectors.values():
            charge = connector.charge
            if charge is not None and names.get(charge.charge_id) == command.transaction_id:
                self._station.spawn_end(connector, StopReason.REMOTE)
                return CommandStatus.ACCEPTED
        return CommandStatus.REJECTED

    def _trigger(self, command: asked.Trigger) -> CommandStatus:
        if command.evse_id not in (None, 0, *self._station.connectors):
            return CommandStatus.REJECTED
        self._station.spawn(self._triggered(command))
        return CommandStatus.ACCEPTED

    async def _triggered(self, command: asked.Trigger) -> None:
        await asyncio.sleep(AFTER_ANSWER_S)
        station = self._station
        wanted = [each for each in station.connectors.values() if command.evse_id in (None, 0, each.evse_id)]
        match command.message:
            case TriggerKind.BOOT:
                station.line.reboot()
            case TriggerKind.HEARTBEAT:
                station.line.tell(HeartbeatSent())
            case TriggerKind.DIAGNOSTICS | TriggerKind.FIRMWARE:
                self._upkeep.tell_again(command.message)
            case TriggerKind.STATUS:
                for connector in wanted:
                    station.tell(connector)
            case TriggerKind.METER:
                for connector in wanted:
                    station.tell_meter(connector)

    def _reset(self, command: asked.Reset) -> CommandStatus:
        self._station.spawn(self._upkeep.restart(hard=command.hard))
        return CommandStatus.ACCEPTED

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
        busy = [each for each in chosen if each.charge is not None and not command.operative]
        for connector in chosen:
            connector.ends_inoperative = connector in busy
            if connector not in busy:
                self._station.set_operative(connector, command.operative)
        return CommandStatus.SCHEDULED if busy else CommandStatus.ACCEPTED

    def _configure(self, command: asked.ChangeConfiguration) -> CommandStatus:
        configuration = self._station.configuration
        status = configuration.change(command.key, command.value)
        if status is CommandStatus.ACCEPTED and command.key == "HeartbeatInterval":
            self._station.line.beat_every(configuration.seconds(command.key))
        return status


def _data(command: DataTransferred) -> DataAnswered:
    """Our own vendor's one message is given back, costs are shown; others are not ours to understand."""
    if command.vendor_id == costs.VENDOR:
        known = command.message_id in (costs.RUNNING, costs.FINAL)
        return DataAnswered(status=DataStatus.ACCEPTED if known else DataStatus.UNKNOWN_MESSAGE)
    if command.vendor_id != VENDOR:
        return DataAnswered(status=DataStatus.UNKNOWN_VENDOR)
    if command.message_id != ECHO:
        return DataAnswered(status=DataStatus.UNKNOWN_MESSAGE)
    return DataAnswered(status=DataStatus.ACCEPTED, data=command.data)
