"""What an OCPP 1.6 CSMS asks of a station and what that answers: one row a command.

Spec: OCPP 1.6 edition 2, section 5 (operations initiated by the central system) and 6 (messages).
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.ocpp.commands import (
    ChangeAvailability,
    ChangeConfiguration,
    CommandAnswered,
    CommandStatus,
    ConfigurationEntry,
    ConfigurationReported,
    GetConfiguration,
    Reset,
    StartRequested,
    StopRequested,
    Trigger,
    TriggerKind,
    UnlockConnector,
)
from tapwatt.ocpp.v16 import wire
from tapwatt.ocpp.v16.data import DATA_ROW
from tapwatt.ocpp.v16.upkeep import UPKEEP_ROWS
from tapwatt.ocpp.v16.words import Row, transaction_number, word_of

ANSWERS: Final = {
    "Accepted": CommandStatus.ACCEPTED,
    "Rejected": CommandStatus.REJECTED,
    "Scheduled": CommandStatus.SCHEDULED,
    "RebootRequired": CommandStatus.REBOOT_REQUIRED,
    "NotSupported": CommandStatus.NOT_SUPPORTED,
    "NotImplemented": CommandStatus.NOT_IMPLEMENTED,
    "Unlocked": CommandStatus.UNLOCKED,
    "UnlockFailed": CommandStatus.UNLOCK_FAILED,
}
TRIGGERS: Final = {
    "BootNotification": TriggerKind.BOOT,
    "DiagnosticsStatusNotification": TriggerKind.DIAGNOSTICS,
    "FirmwareStatusNotification": TriggerKind.FIRMWARE,
    "Heartbeat": TriggerKind.HEARTBEAT,
    "MeterValues": TriggerKind.METER,
    "StatusNotification": TriggerKind.STATUS,
}


def _read_trigger(payload: wire.TriggerMessage) -> Trigger:
    # A kind nobody knows is answered NotImplemented by the station; here it is the caller's to refuse.
    return Trigger(message=TRIGGERS[payload.requested_message], evse_id=payload.connector_id)


def _write_availability(command: ChangeAvailability) -> wire.ChangeAvailability:
    return wire.ChangeAvailability(
        connector_id=command.evse_id, type="Operative" if command.operative else "Inoperative"
    )


def _write_configuration(answer: ConfigurationReported) -> wire.GetConfigurationAnswer:
    return wire.GetConfigurationAnswer(
        configuration_key=tuple(
            wire.KeyValue(key=each.key, readonly=each.readonly, value=each.value) for each in answer.entries
        ),
        unknown_key=answer.unknown,
    )


def _read_configuration(payload: wire.GetConfigurationAnswer) -> ConfigurationReported:
    return ConfigurationReported(
        entries=tuple(
            ConfigurationEntry(key=each.key, readonly=each.readonly, value=each.value)
            for each in payload.configuration_key
        ),
        unknown=payload.unknown_key,
    )


def _read_status(payload: Any) -> CommandAnswered:
    return CommandAnswered(status=ANSWERS.get(payload.status, CommandStatus.UNKNOWN), raw=payload.status)


def _answering(kind: type[Any]) -> dict[str, Any]:
    """The three parts of a row whose answer is one word."""
    return {
        "answered": kind,
        "write_answer": lambda answer: kind(status=word_of(ANSWERS, answer.status)),
        "read_answer": _read_status,
    }


COMMAND_ROWS: Final = (
    Row(
        action="RemoteStartTransaction",
        meaning=StartRequested,
        asked=wire.RemoteStartTransaction,
        write=lambda command: wire.RemoteStartTransaction(
            id_tag=command.id_token, connector_id=command.evse_id
        ),
        read=lambda payload: StartRequested(id_token=payload.id_tag, evse_id=payload.connector_id),
        **_answering(wire.AcceptingAnswer),
    ),
    Row(
        action="RemoteStopTransaction",
        meaning=StopRequested,
        asked=wire.RemoteStopTransaction,
        write=lambda command: wire.RemoteStopTransaction(
            transaction_id=transaction_number(command.transaction_id)
        ),
        read=lambda payload: StopRequested(transaction_id=str(payload.transaction_id)),
        **_answering(wire.AcceptingAnswer),
    ),
    Row(
        action="TriggerMessage",
        meaning=Trigger,
        asked=wire.TriggerMessage,
        write=lambda command: wire.TriggerMessage(
            requested_message=word_of(TRIGGERS, command.message), connector_id=command.evse_id
        ),
        read=_read_trigger,
        **_answering(wire.TriggerMessageAnswer),
    ),
    Row(
        action="Reset",
        meaning=Reset,
        asked=wire.Reset,
        write=lambda command: wire.Reset(type="Hard" if command.hard else "Soft"),
        read=lambda payload: Reset(hard=payload.type == "Hard"),
        **_answering(wire.AcceptingAnswer),
    ),
    Row(
        action="ChangeConfiguration",
        meaning=ChangeConfiguration,
        asked=wire.ChangeConfiguration,
        write=lambda command: wire.ChangeConfiguration(key=command.key, value=command.value),
        read=lambda payload: ChangeConfiguration(key=payload.key, value=payload.value),
        **_answering(wire.ChangeConfigurationAnswer),
    ),
    Row(
        action="GetConfiguration",
        meaning=GetConfiguration,
        asked=wire.GetConfiguration,
        answered=wire.GetConfigurationAnswer,
        write=lambda command: wire.GetConfiguration(key=command.keys),
        read=lambda payload: GetConfiguration(keys=payload.key),
        write_answer=_write_configuration,
        read_answer=_read_configuration,
    ),
    Row(
        action="UnlockConnector",
        meaning=UnlockConnector,
        asked=wire.UnlockConnector,
        write=lambda command: wire.UnlockConnector(connector_id=command.evse_id),
        read=lambda payload: UnlockConnector(evse_id=payload.connector_id),
        **_answering(wire.UnlockConnectorAnswer),
    ),
    Row(
        action="ChangeAvailability",
        meaning=ChangeAvailability,
        asked=wire.ChangeAvailability,
        write=_write_availability,
        read=lambda payload: ChangeAvailability(
            evse_id=payload.connector_id, operative=payload.type == "Operative"
        ),
        **_answering(wire.ChangeAvailabilityAnswer),
    ),
    *UPKEEP_ROWS,
    DATA_ROW,
)
