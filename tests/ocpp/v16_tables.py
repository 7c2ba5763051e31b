"""OCPP 1.6 payloads beside the neutral messages they mean: every action, both roles."""

from __future__ import annotations

import json
from typing import Any

from tapwatt.ocpp.commands import (
    ChangeAvailability,
    ChangeConfiguration,
    ClearCache,
    Command,
    CommandAnswer,
    CommandAnswered,
    CommandStatus,
    ConfigurationEntry,
    ConfigurationReported,
    DiagnosticsPromised,
    GetConfiguration,
    GetDiagnostics,
    Reset,
    StartRequested,
    StopRequested,
    Trigger,
    TriggerKind,
    UnlockConnector,
    UpdateFirmware,
)
from tapwatt.ocpp.messages import (
    Acknowledged,
    Answer,
    BootAnswered,
    ConnectorStatus,
    DataAnswered,
    DataStatus,
    DataTransferred,
    DiagnosticsReported,
    FirmwareReported,
    HeartbeatAnswered,
    HeartbeatSent,
    MeterReported,
    Reading,
    Registration,
    Sample,
    StartAnswered,
    StationBooted,
    StationMessage,
    StatusReported,
    StopAnswered,
    StopReason,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
    TransactionStarted,
    TransactionStopped,
)

NOON_MS = 1_767_225_600_123
NOON = "2026-01-01T00:00:00.123Z"
REGISTER = Sample(value="1500", unit="Wh", context="Sample.Periodic", location="Outlet")
POWER = Sample(value="7.4", measurand="Power.Active.Import", unit="kW")
READING = Reading(at_ms=NOON_MS, register_wh=1500, power_w=7400, samples=(REGISTER, POWER))
READING_JSON = {
    "timestamp": NOON,
    "sampledValue": [
        {
            "value": "1500",
            "measurand": "Energy.Active.Import.Register",
            "unit": "Wh",
            "context": "Sample.Periodic",
            "location": "Outlet",
        },
        {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
    ],
}

MESSAGES: list[tuple[StationMessage, str, dict[str, Any]]] = [
    (
        StationBooted(
            vendor="Tapwatt",
            model="Sim",
            serial="S1",
            firmware="1",
            iccid="8",
            imsi="2",
            meter_type="M",
            meter_serial="7",
        ),
        "BootNotification",
        {
            "chargePointVendor": "Tapwatt",
            "chargePointModel": "Sim",
            "chargePointSerialNumber": "S1",
            "firmwareVersion": "1",
            "iccid": "8",
            "imsi": "2",
            "meterType": "M",
            "meterSerialNumber": "7",
        },
    ),
    (HeartbeatSent(), "Heartbeat", {}),
    (
        StatusReported(
            evse_id=1,
            status=ConnectorStatus.SUSPENDED_EV,
            raw_status="SuspendedEV",
            info="full",
            vendor_id="v",
            vendor_error_code="E1",
            at_ms=NOON_MS,
        ),
        "StatusNotification",
        {
            "connectorId": 1,
            "status": "SuspendedEV",
            "errorCode": "NoError",
            "info": "full",
            "timestamp": NOON,
            "vendorId": "v",
            "vendorErrorCode": "E1",
        },
    ),
    (TokenOffered(id_token="04A1B2C3"), "Authorize", {"idTag": "04A1B2C3"}),
    (
        TransactionStarted(evse_id=2, id_token="TW1", register_wh=1000, at_ms=NOON_MS, reservation_id=5),
        "StartTransaction",
        {"connectorId": 2, "idTag": "TW1", "meterStart": 1000, "timestamp": NOON, "reservationId": 5},
    ),
    (
        MeterReported(evse_id=2, transaction_id="17", readings=(READING,)),
        "MeterValues",
        {"connectorId": 2, "transactionId": 17, "meterValue": [READING_JSON]},
    ),
    (
        TransactionStopped(
            transaction_id="17",
            register_wh=2500,
            at_ms=NOON_MS,
            id_token="TW1",
            reason=StopReason.EV_DISCONNECTED,
            raw_reason="EVDisconnected",
            readings=(READING,),
        ),
        "StopTransaction",
        {
            "transactionId": 17,
            "meterStop": 2500,
            "timestamp": NOON,
            "idTag": "TW1",
            "reason": "EVDisconnected",
            "transactionData": [READING_JSON],
        },
    ),
    (
        DataTransferred(vendor_id="org.x", message_id="M", data="{}"),
        "DataTransfer",
        {"vendorId": "org.x", "messageId": "M", "data": "{}"},
    ),
    (DiagnosticsReported(status="Uploading"), "DiagnosticsStatusNotification", {"status": "Uploading"}),
    (FirmwareReported(status="Installed"), "FirmwareStatusNotification", {"status": "Installed"}),
]
TOKEN = TokenAnswered(status=TokenStatus.CONCURRENT, group="G", expires_ms=NOON_MS)
TOKEN_JSON = {"status": "ConcurrentTx", "expiryDate": NOON, "parentIdTag": "G"}
ANSWERS: list[tuple[str, Answer, dict[str, Any]]] = [
    (
        "BootNotification",
        BootAnswered(registration=Registration.PENDING, interval_s=60, now_ms=NOON_MS),
        {"status": "Pending", "currentTime": NOON, "interval": 60},
    ),
    ("Heartbeat", HeartbeatAnswered(now_ms=NOON_MS), {"currentTime": NOON}),
    ("StatusNotification", Acknowledged(), {}),
    ("Authorize", TOKEN, {"idTagInfo": TOKEN_JSON}),
    (
        "StartTransaction",
        StartAnswered(transaction_id="17", token=TOKEN),
        {"transactionId": 17, "idTagInfo": TOKEN_JSON},
    ),
    ("MeterValues", Acknowledged(), {}),
    ("StopTransaction", StopAnswered(token=TOKEN), {"idTagInfo": TOKEN_JSON}),
    ("StopTransaction", StopAnswered(), {}),
    (
        "DataTransfer",
        DataAnswered(status=DataStatus.UNKNOWN_VENDOR, data="x"),
        {"status": "UnknownVendorId", "data": "x"},
    ),
    ("DiagnosticsStatusNotification", Acknowledged(), {}),
    ("FirmwareStatusNotification", Acknowledged(), {}),
]


def answered(status: CommandStatus, raw: str) -> CommandAnswered:
    return CommandAnswered(status=status, raw=raw)


COMMANDS: list[tuple[Command, str, dict[str, Any], CommandAnswer, dict[str, Any]]] = [
    (
        StartRequested(id_token="TW1", evse_id=1),
        "RemoteStartTransaction",
        {"idTag": "TW1", "connectorId": 1},
        answered(CommandStatus.ACCEPTED, "Accepted"),
        {"status": "Accepted"},
    ),
    (
        StopRequested(transaction_id="17"),
        "RemoteStopTransaction",
        {"transactionId": 17},
        answered(CommandStatus.REJECTED, "Rejected"),
        {"status": "Rejected"},
    ),
    (
        Trigger(message=TriggerKind.METER, evse_id=1),
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 1},
        answered(CommandStatus.NOT_IMPLEMENTED, "NotImplemented"),
        {"status": "NotImplemented"},
    ),
    (
        Reset(hard=True),
        "Reset",
        {"type": "Hard"},
        answered(CommandStatus.ACCEPTED, "Accepted"),
        {"status": "Accepted"},
    ),
    (
        ChangeConfiguration(key="MeterValueSampleInterval", value="5"),
        "ChangeConfiguration",
        {"key": "MeterValueSampleInterval", "value": "5"},
        answered(CommandStatus.REBOOT_REQUIRED, "RebootRequired"),
        {"status": "RebootRequired"},
    ),
    (
        GetConfiguration(keys=("A", "B")),
        "GetConfiguration",
        {"key": ["A", "B"]},
        ConfigurationReported(
            entries=(ConfigurationEntry(key="A", value="1", readonly=True),), unknown=("B",)
        ),
        {"configurationKey": [{"key": "A", "readonly": True, "value": "1"}], "unknownKey": ["B"]},
    ),
    (GetConfiguration(), "GetConfiguration", {}, ConfigurationReported(), {}),
    (
        UnlockConnector(evse_id=1),
        "UnlockConnector",
        {"connectorId": 1},
        answered(CommandStatus.UNLOCK_FAILED, "UnlockFailed"),
        {"status": "UnlockFailed"},
    ),
    (
        ChangeAvailability(evse_id=0, operative=False),
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
        answered(CommandStatus.SCHEDULED, "Scheduled"),
        {"status": "Scheduled"},
    ),
    (ClearCache(), "ClearCache", {}, answered(CommandStatus.REJECTED, "Rejected"), {"status": "Rejected"}),
    (
        GetDiagnostics(location="ftp://x/", retries=1, retry_interval_s=9, from_ms=NOON_MS, to_ms=NOON_MS),
        "GetDiagnostics",
        {"location": "ftp://x/", "retries": 1, "retryInterval": 9, "startTime": NOON, "stopTime": NOON},
        DiagnosticsPromised(file_name="d.zip"),
        {"fileName": "d.zip"},
    ),
    (GetDiagnostics(location="x"), "GetDiagnostics", {"location": "x"}, DiagnosticsPromised(), {}),
    (
        UpdateFirmware(location="https://x/f", retrieve_ms=NOON_MS, retries=3, retry_interval_s=60),
        "UpdateFirmware",
        {"location": "https://x/f", "retrieveDate": NOON, "retries": 3, "retryInterval": 60},
        Acknowledged(),
        {},
    ),
    (
        DataTransferred(vendor_id="org.x"),
        "DataTransfer",
        {"vendorId": "org.x"},
        DataAnswered(status=DataStatus.ACCEPTED),
        {"status": "Accepted"},
    ),
]


def text(value: object) -> bytes:
    return json.dumps(value).encode()


def a_message(action: str) -> StationMessage:
    return next(message for message, each, _ in MESSAGES if each == action)
